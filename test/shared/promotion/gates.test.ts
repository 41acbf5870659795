/** What each gate of a promotion lets through and what it stops, and why. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeClasses } from "../../../shared/promotion/classes.ts";
import { judgeData, usualDataRules } from "../../../shared/promotion/dataGate.ts";
import { labelledItems } from "../../../shared/promotion/feedbackItems.ts";
import { judgeOffline, usualOfflineRules } from "../../../shared/promotion/offlineGate.ts";
import { comparePaired, type PairedItem } from "../../../shared/promotion/paired.ts";
import { turnDue } from "../../../shared/promotion/trigger.ts";
import { nonInferiority } from "../../../shared/statistics/pairedComparison.ts";
import { promotion, usualWorld } from "../../bench/flywheelGate.ts";

/** `count` items of a class: which of the two is right. */
function items(count: number, candidate: boolean, incumbent: boolean, label = "a"): PairedItem[] {
  const answer = (right: boolean) => (right ? label : `not ${label}`);
  return Array.from({ length: count }, () => ({ label, candidate: answer(candidate), incumbent: answer(incumbent) }));
}
const alike = (count: number, label?: string) => items(count, true, true, label);

test("a turn is due by what comes first of rows, drift and schedule, and never without a new row", () => {
  const rules = { new_rows: 100, every_seconds: 60, drift: true };
  const since = { newRows: 5, seconds: 10, hasDrifted: false };
  assert.equal(turnDue(rules, since), undefined);
  assert.equal(turnDue(rules, { ...since, newRows: 100 }), "new_rows");
  assert.equal(turnDue(rules, { ...since, seconds: 60 }), "schedule");
  assert.equal(turnDue(rules, { ...since, hasDrifted: true }), "drift");
  assert.equal(turnDue(rules, { newRows: 0, seconds: 1e6, hasDrifted: true }), undefined);
  assert.equal(turnDue({}, { newRows: 1e6, seconds: 1e6, hasDrifted: true }), undefined, "of no rule: never");
});

test("a candidate passes the frozen test set where being worse by the margin is refuted", () => {
  const items_ = [...alike(900), ...items(60, true, false), ...items(40, false, true)];
  const verdict = judgeOffline(items_, [], usualOfflineRules);
  assert.equal(verdict.passed, true);
  assert.equal(verdict.recent, null, "no feedback: the test set alone decides");
  assert.ok(Math.abs(verdict.frozen.difference - 0.02) < 1e-12);
  const worse = judgeOffline(
    [...alike(900), ...items(40, true, false), ...items(60, false, true)],
    [],
    usualOfflineRules,
  );
  assert.deepEqual(worse.reasons, ["worse_on_frozen"]);
  const few = judgeOffline(alike(20), [], usualOfflineRules);
  assert.deepEqual(few.reasons, ["worse_on_frozen"], "alike on few items proves nothing");
  assert.equal(judgeOffline([], [], usualOfflineRules).passed, false);
});

test("a candidate that is good on the test set and bad on what users say now is stopped", () => {
  const frozen = [...alike(950), ...items(50, true, false)];
  const recent = [...alike(80), ...items(20, false, true)];
  const verdict = judgeOffline(frozen, recent, usualOfflineRules);
  assert.deepEqual(verdict.reasons, ["worse_on_recent"]);
});

test("a class that is lost stops a candidate that is better on the whole; small classes are not judged", () => {
  const lost = [...alike(10, "b"), ...items(30, false, true, "b")];
  const rest = [...alike(900), ...items(60, true, false)];
  const verdict = judgeOffline([...rest, ...lost], [], usualOfflineRules);
  assert.deepEqual(verdict.reasons, ["class_fell"]);
  assert.deepEqual(
    verdict.classes.map(({ label, hasFallen }) => [label, hasFallen]),
    [
      ["b", true],
      ["a", false],
    ],
  );
  assert.deepEqual(judgeClasses(lost, { class_drop: 0.1, class_items: 41 }, 0.05), []);
});

test("p-values of classes are Holm's: the least times the number of classes", () => {
  const fallen = [...alike(25, "b"), ...items(5, false, true, "b")];
  const alone = judgeClasses(fallen, { class_drop: 0.1, class_items: 20 }, 0.05)[0]!;
  const four = judgeClasses(
    [...fallen, ...alike(30, "c"), ...alike(30, "d"), ...alike(30, "e")],
    { class_drop: 0.1, class_items: 20 },
    0.05,
  )[0]!;
  assert.equal(four.label, "b");
  assert.ok(Math.abs(four.pValue - 4 * alone.pValue) < 1e-12);
});

test("items that stand for several count as so many, and their fewness is not hidden", () => {
  const pairs = [
    ...alike(400),
    ...items(10, true, false).map((one) => ({ ...one, weight: 4 })),
    ...items(8, false, true),
  ];
  const verdict = comparePaired(pairs, 0.01, 0.05);
  assert.ok(Math.abs(verdict.difference - 32 / 448) < 1e-12);
  const asIfSeen = nonInferiority({ items: 448, onlyCandidate: 40, onlyIncumbent: 8 }, 0.01);
  assert.ok(verdict.pValue > asIfSeen.pValue, "ten items of weight four say less than forty");
});

test("rejected answers that were corrected stand for those that were not, so that whoever answered is not favoured", () => {
  const judged = [
    ...Array.from({ length: 6 }, () => ({ answer: "a", accepted: true })),
    { answer: "a", accepted: false, correction: "b" },
    ...Array.from({ length: 3 }, () => ({ answer: "a", accepted: false })),
    { answer: "c" },
  ];
  const found = labelledItems(judged);
  assert.equal(found.length, 7);
  assert.deepEqual(found.at(-1), { index: 6, label: "b", weight: 4 });
  const right = found.filter(({ label }) => label === "a").length;
  assert.equal(right / found.reduce((sum, { weight }) => sum + weight, 0), 0.6, "six of ten were right");
  assert.deepEqual(labelledItems([{ answer: "a", accepted: false }]), []);
});

test("a batch with flipped labels is stopped; a harder one, and one of few labels, is not", () => {
  const earlier = { items: 500, agreeing: 450 };
  assert.equal(judgeData(earlier, { items: 200, agreeing: 126 }, usualDataRules).passed, false);
  assert.equal(judgeData(earlier, { items: 200, agreeing: 165 }, usualDataRules).passed, true);
  assert.equal(judgeData(earlier, { items: 5, agreeing: 3 }, usualDataRules).passed, true);
  assert.equal(judgeData(earlier, { items: 0, agreeing: 0 }, usualDataRules).passed, true);
});

test("of simulated candidates worse by a point hardly any are promoted, of better by two points most", () => {
  const promoted = (better: number) =>
    Array.from({ length: 40 }, (_, run) => promotion(better, usualWorld, run + 1).promoted).filter(Boolean).length;
  assert.ok(promoted(-0.01) <= 2);
  assert.ok(promoted(0.02) >= 30);
});
