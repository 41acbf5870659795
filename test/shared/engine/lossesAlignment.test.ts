/** CTC against the sum over every possible alignment, in float64. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gradients, input, type Tensor, temporalClassification } from "../../../shared/engine/index.ts";
import { tolerance, worstError } from "./finiteDifferences.ts";
import { assertClose, evaluate, numbers, randomValues, tensor } from "./run.ts";

const [frames, classes] = [5, 3];

/** -log of the probability of all sequences of classes that say the labels once repeats and blanks are dropped. */
function reference(logits: number[][], labels: readonly number[]): number {
  const probabilities = logits.map((row) => {
    const total = row.reduce((sum, value) => sum + Math.exp(value), 0);
    return row.map((value) => Math.exp(value) / total);
  });
  let sum = 0;
  for (let code = 0; code < classes ** logits.length; code++) {
    const path = logits.map((_, t) => Math.floor(code / classes ** t) % classes);
    const said = path.filter((label, t) => label !== 0 && label !== path[t - 1]);
    if (said.join() !== labels.join()) continue;
    sum += path.reduce((product, label, t) => product * probabilities[t]![label]!, 1);
  }
  return -Math.log(sum);
}

const rows = [
  { labels: [1, 2], frames: 5 },
  { labels: [1, 1], frames: 5 },
  { labels: [2], frames: 3 },
  { labels: [], frames: 4 },
  { labels: [2, 1, 2], frames: 4 },
];
const values = [...randomValues(rows.length * frames * classes, { seed: 6, low: -2, high: 2 })];
const logitsOf = (row: number) =>
  Array.from({ length: rows[row]!.frames }, (_, t) => {
    const start = (row * frames + t) * classes;
    return values.slice(start, start + classes);
  });

const logits = input("logits", ["batch", frames, classes]);
const targets = {
  labels: input("labels", ["batch", 3], "int32"),
  lengths: input("lengths", ["batch"], "int32"),
  mask: input("mask", ["batch", frames], "int32"),
};
const padded = (list: readonly number[], to: number, filler: number) => [
  ...list,
  ...Array(to - list.length).fill(filler),
];
const feedsOf = (chosen: typeof rows): Record<string, Tensor> => ({
  labels: tensor([chosen.length, 3], Int32Array.from(chosen.flatMap(({ labels }) => padded(labels, 3, 1)))),
  lengths: tensor([chosen.length], Int32Array.from(chosen.map(({ labels }) => labels.length))),
  mask: tensor(
    [chosen.length, frames],
    Int32Array.from(chosen.flatMap(({ frames: count }) => padded(Array(count).fill(1), frames, 0))),
  ),
});

describe("connectionist temporal classification", () => {
  const loss = temporalClassification(logits, targets);

  it("sums over every alignment, with repeated labels, none, padding and tight fits", async () => {
    const found = await evaluate({ loss }, { logits: tensor([5, frames, classes], values), ...feedsOf(rows) });
    const each = rows.map(({ labels }, row) => reference(logitsOf(row), labels) / Math.max(labels.length, 1));
    assertClose(numbers(found.loss), [each.reduce((sum, value) => sum + value, 0) / rows.length], 2e-6);
  });

  it("differentiates", async () => {
    const error = await worstError({
      operands: { logits: ["batch", frames, classes] },
      sizes: { batch: rows.length },
      build: (nodes) => temporalClassification(nodes.logits!, targets),
      values: { logits: Float32Array.from(values) },
      feeds: feedsOf(rows),
    });
    assert.ok(error < tolerance, `off by ${error}`);
  });

  it("leaves out a row whose labels do not fit its frames", async () => {
    // Two equal labels need a blank between them: three frames.
    const tight = [{ labels: [1, 1], frames: 2 }];
    const found = await evaluate(
      { loss, d: gradients(loss, [logits]).get(logits)! },
      { logits: tensor([1, frames, classes], values.slice(0, 15)), ...feedsOf(tight) },
    );
    assert.deepEqual([...numbers(found.loss), ...numbers(found.d)].map(Math.abs), Array(16).fill(0));
  });
});
