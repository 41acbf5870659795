/** What labellers say between them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { agreementOf, labelsIn, verdictRules } from "../../../shared/labels/verdict.ts";
import type { LabelItemRecord } from "../../../shared/schemas/label.ts";

const item = (said: Record<string, string | null>): Pick<LabelItemRecord, "answers" | "state"> => ({
  state: Object.keys(said).length > 1 ? "closed" : "open",
  answers: Object.fromEntries(
    Object.entries(said).map(([who, label]) => {
      const outcome = label === null ? ("cannot_tell" as const) : ("labelled" as const);
      return [who, { id: `${who}-${label}`, outcome, label, created_at: 1 }];
    }),
  ),
});

test("a majority is more than half, and unanimous is all", () => {
  const { majority, unanimous } = verdictRules;
  assert.equal(majority(["a", "b", "a"]), "a");
  assert.equal(majority(["a", "b"]), undefined);
  assert.equal(majority([]), undefined);
  assert.equal(unanimous(["a", "a"]), "a");
  assert.equal(unanimous(["a", "a", "b"]), undefined);
});

test("those who could not tell gave no label", () => {
  assert.deepEqual(labelsIn(item({ eve: null, bob: "x", ann: "y" }).answers), [
    { id: "ann-y", labeller: "ann", label: "y" },
    { id: "bob-x", labeller: "bob", label: "x" },
  ]);
});

test("agreement is alpha over rows with two labels, and each labeller beside the others' majority", () => {
  const items = [
    ...[item({ ann: "x", bob: "x", eve: "x" }), item({ ann: "y", bob: "y", eve: "x" })],
    ...[item({ ann: "x", bob: null }), item({})],
  ];
  const found = agreementOf("lq_1", items);
  assert.deepEqual([found.compared, found.unanimous, found.open, found.closed], [2, 1, 1, 3]);
  // Coincidences: xx 3, xy 1, yx 1, yy 1 of 6; observed 2/6, expected 2 * 4 * 2 / (6 * 5).
  assert.ok(Math.abs(found.alpha! - (1 - 2 / 6 / (16 / 30))) < 1e-12, `${found.alpha}`);
  const [ann, bob, eve] = found.labellers;
  assert.deepEqual([ann!.labelled, ann!.with_majority], [3, 1]);
  assert.deepEqual([bob!.labelled, bob!.cannot_tell, bob!.with_majority], [2, 1, 1]);
  assert.deepEqual([eve!.labelled, eve!.with_majority], [2, 0.5]);
  assert.equal(agreementOf("lq_1", [item({ ann: "x" })]).alpha, null);
});
