/** Estimates follow the jobs that were done, and the shape alone where there were none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { estimate, shapeOf } from "../../../shared/budget/estimate.ts";

const shape = {
  ...{ fixed_seconds: 2, seconds_per_megabyte: 10, tokens_per_byte: 0.25, output_tokens_per_byte: 0, epochs: 4 },
};

test("without jobs the shape tells", () => {
  assert.deepEqual(estimate(shape, { bytes: 100_000 }, []), { tokens: 100_000, output_tokens: 0, seconds: 6, jobs: 0 });
  assert.equal(estimate(shape, { bytes: 100_000, epochs: 1 }, []).seconds, 3);
});

test("jobs tell by their median how much faster this deployment is, whatever their size", () => {
  const paces = [
    { bytes: 100_000, tokens: 200_000, seconds: 3 },
    { bytes: 200_000, tokens: 400_000, seconds: 5 },
    { bytes: 200_000, tokens: 400_000, seconds: 5000 },
  ];
  assert.deepEqual(estimate(shape, { bytes: 400_000 }, paces), {
    tokens: 800_000,
    output_tokens: 0,
    seconds: 9,
    jobs: 3,
  });
});

test("of what nothing is known nothing is guessed", () => {
  assert.throws(
    () => shapeOf("nonsense", "more of it"),
    /Nothing is known of how long any of nonsense, more of it takes/,
  );
});
