/** Seats at a row: as many as it wants, each for one labeller, and free again when a lease runs out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hasSeat, holds, seated, withAnswer } from "../../../shared/labels/seats.ts";
import type { Answer, LabelItemRecord } from "../../../shared/schemas/label.ts";

type Item = Pick<LabelItemRecord, "answers" | "leases" | "overlap" | "state">;
const fresh = (overlap: number): Item => ({ answers: {}, leases: {}, overlap, state: "open" });
const label = (value: string, id = value): Answer => ({ id, outcome: "labelled", label: value, created_at: 1 });
const skip: Answer = { id: "s", outcome: "skipped", label: null, created_at: 1 };
const seat = (item: Item, who: string, until = 10, now = 0) => ({ ...item, ...seated(item, who, until, now) });
const say = (item: Item, who: string, answer: Answer, now = 0) => {
  const changes = withAnswer(item, who, answer, now);
  return changes && { ...item, ...changes };
};

test("one seat is for one labeller until the lease ends", () => {
  const held = seat(fresh(1), "ann");
  assert.ok(holds(held, "ann", 9) && !hasSeat(held, "bob", 9));
  assert.ok(!holds(held, "ann", 10) && hasSeat(held, "bob", 10));
  assert.ok(!hasSeat(seat(held, "bob", 20, 10), "ann", 10));
});

test("an answer fills a seat, and a skipped row goes to another but not back", () => {
  const done = say(seat(fresh(1), "ann"), "ann", label("x"))!;
  assert.deepEqual([done.state, done.leases], ["closed", {}]);
  const skipped = say(seat(fresh(1), "ann"), "ann", skip)!;
  assert.equal(skipped.state, "open");
  assert.ok(!hasSeat(skipped, "ann", 0) && hasSeat(skipped, "bob", 0));
  const cannot = say(seat(fresh(1), "ann"), "ann", { ...skip, outcome: "cannot_tell" })!;
  assert.equal(cannot.state, "closed");
});

test("with an overlap of two there are two seats, for two labellers", () => {
  const both = seat(seat(fresh(2), "ann"), "bob");
  assert.ok(!hasSeat(both, "eve", 0));
  const half = say(both, "ann", label("x"))!;
  assert.ok(!hasSeat(half, "ann", 0) && !hasSeat(half, "eve", 0) && half.state === "open");
  assert.equal(say(half, "bob", label("y"))!.state, "closed");
});

test("late answers count while nobody else has the row, and are refused after", () => {
  const late = seat(fresh(1), "ann", 10);
  assert.equal(say(late, "ann", label("x"), 50)!.state, "closed");
  const given = seat(late, "bob", 100, 50);
  assert.equal(say(given, "ann", label("x"), 60), undefined);
  assert.equal(say(fresh(1), "eve", label("x")), undefined, "never given to eve");
});

test("a labeller corrects an answer, also of a closed row, but takes back a skipped one only while there is a seat", () => {
  const done = say(seat(fresh(1), "ann"), "ann", label("x"))!;
  const corrected = say(done, "ann", label("y"))!;
  assert.deepEqual([corrected.answers.ann!.label, corrected.state], ["y", "closed"]);
  const skipped = say(seat(fresh(1), "ann"), "ann", skip)!;
  const taken = say(seat(skipped, "bob"), "bob", label("x"))!;
  assert.equal(say(taken, "ann", label("z")), undefined);
  assert.equal(say(skipped, "ann", label("z"))!.state, "closed");
});
