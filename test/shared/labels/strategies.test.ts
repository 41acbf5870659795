/** Rules of what to label first, by cases that can be counted by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashedVector } from "../../../shared/labels/hashedVectors.ts";
import {
  disagreementOf,
  highest,
  kCentres,
  uncertaintyOf,
  voteDisagreement,
} from "../../../shared/labels/strategies.ts";

test("uncertainty is what the likeliest label lacks of a lead", () => {
  assert.equal(uncertaintyOf([1, 0, 0]), 0);
  assert.equal(uncertaintyOf([0.5, 0.5]), 1);
  assert.ok(Math.abs(uncertaintyOf([0.2, 0.7, 0.1]) - 0.5) < 1e-12);
  // A tie between two is more uncertain than a spread over many behind a leader.
  assert.ok(uncertaintyOf([0.48, 0.5, 0.02]) > uncertaintyOf([0.4, 0.2, 0.2, 0.2]));
});

test("disagreement is 0 of the same answer and 1 bit of opposite ones", () => {
  assert.equal(disagreementOf([0.3, 0.7], [0.3, 0.7]), 0);
  assert.equal(disagreementOf([1, 0], [0, 1]), 1);
  assert.ok(disagreementOf([0.9, 0.1], [0.1, 0.9]) > disagreementOf([0.6, 0.4], [0.4, 0.6]));
  assert.throws(() => disagreementOf([1], [0.5, 0.5]), /other must have 1 labels, not 2/);
});

test("votes disagree most where each is another", () => {
  assert.equal(voteDisagreement(["a", "a", "a"]), 0);
  assert.equal(voteDisagreement(["a"]), 0);
  assert.equal(voteDisagreement(["a", "b"]), 1);
  const [split, lone] = [voteDisagreement(["a", "a", "b", "b"]), voteDisagreement(["a", "a", "a", "b"])];
  assert.ok(split > lone && lone > 0);
});

test("the highest come first, of equal ones the earlier", () => {
  assert.deepEqual(highest([1, 3, 2, 3], 3), [1, 3, 2]);
  assert.deepEqual(highest([1], 5), [0]);
});

test("centres cover far groups before they look at any group twice", () => {
  const at = (x: number, y: number) => Float32Array.of(x, y);
  const vectors = [at(0, 0), at(0.1, 0), at(10, 0), at(10.1, 0), at(0, 10), at(0.1, 10)];
  const groups = kCentres(vectors, 3).map((row) => row >> 1);
  assert.deepEqual(groups.sort(), [0, 1, 2]);
  assert.deepEqual(
    kCentres(vectors, 1, [at(10, 0), at(0, 0)]).map((row) => row >> 1),
    [2],
  );
  assert.equal(new Set(kCentres([at(1, 1), at(1, 1), at(1, 1)], 3)).size, 3);
  assert.deepEqual(kCentres([], 3), []);
});

test("texts alike have vectors alike", () => {
  const product = (a: string, b: string) => {
    const [x, y] = [hashedVector(a), hashedVector(b)];
    return x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  };
  assert.ok(Math.abs(product("I lost my card", "I lost my card") - 1) < 1e-5);
  assert.ok(product("I lost my card", "I have lost my card") > 0.5);
  assert.ok(Math.abs(product("I lost my card", "top up by cheque")) < 0.3);
  assert.equal(product("", "card"), 0);
});
