/** Labels that are probably wrong: the same ones as cleanlab finds. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { findLabelIssues } from "../../../../shared/engine/race/confidentLearning.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";

interface GoldenCase {
  K: number;
  pred_probs: number[][];
  labels: number[];
  confident_joint_calibrated: number[][];
  find: { prune_by_noise_rate: number[] };
}

const golden = sharedFile("golden/cleanlab.json");

describe("confident learning", () => {
  it("finds what can be checked by hand", () => {
    const rows =
      ".9 .05 .05|.8 .15 .05|.1 .85 .05|.6 .3 .1|.2 .7 .1|.05 .9 .05|.15 .75 .1|.85 .1 .05|.3 .4 .3|.1 .1 .8|.05 .15 .8|.05 .8 .15|.33 .33 .34|.2 .2 .6";
    const probabilities = Float64Array.from(rows.split("|").flatMap((row) => row.split(" ").map(Number)));
    const labels = Int32Array.from([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    const { rows: found, joint } = findLabelIssues({ probabilities, labels, classes: 3 });
    assert.deepEqual(found.toSorted(), [11, 2, 7]);
    assert.deepEqual(joint, [
      [3, 1, 0],
      [1, 4, 0],
      [0, 1, 4],
    ]);
  });

  it("finds what cleanlab finds", { skip: golden.skip }, () => {
    const { cases } = JSON.parse(readFileSync(golden.path, "utf8")) as { cases: GoldenCase[] };
    for (const { K: classes, pred_probs, labels, confident_joint_calibrated, find } of cases) {
      const probabilities = Float64Array.from(pred_probs.flat());
      const { rows, joint } = findLabelIssues({ probabilities, labels: Int32Array.from(labels), classes });
      assert.deepEqual(new Set(rows), new Set(find.prune_by_noise_rate));
      // Where two halves are to be rounded, the last bits of NumPy's sums decide.
      const off = joint.flat().map((count, i) => Math.abs(count - confident_joint_calibrated.flat()[i]!));
      assert.ok(Math.max(...off) <= 1 && off.filter((difference) => difference > 0).length <= 2);
    }
  });
});
