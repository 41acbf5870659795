/** What the benchmarks compute from what they time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exponent, interleaved, median } from "./timing.ts";
import { matmulOperations, workload } from "./trainingModel.ts";

describe("times", () => {
  it("are taken in turn, the first round uncounted", async () => {
    const order: string[] = [];
    let time = 0;
    const one = (name: string) => async () => {
      order.push(name);
      return ++time;
    };
    const times = await interleaved(2, { a: one("a"), b: one("b") });
    assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
    assert.deepEqual(times, { a: [3, 5], b: [4, 6] });
    assert.equal(median([9, 1, 4]), 4);
  });

  it("have the power of a size by which they grow", () => {
    const points = [1, 2, 4, 8].map((x) => [x, 3 * x ** -0.5] as const);
    assert.ok(Math.abs(exponent(points) + 0.5) < 1e-12);
    assert.ok(
      Math.abs(
        exponent([
          [1, 1],
          [2, 4],
          [4, 4],
        ]) - 1,
      ) < 1e-12,
    );
  });
});

describe("the arithmetic of a step", () => {
  it("is that of its matrix products, forward and backward", () => {
    const [batch, sequence, hidden, inner, labels, rank] = [16, 64, 384, 1536, 77, 8];
    const tokens = batch * sequence;
    const product = (rows: number, inputs: number, outputs: number) => 2 * rows * inputs * outputs;
    const frozen = 4 * product(tokens, hidden, hidden) + 2 * product(tokens, hidden, inner);
    const attention = product(tokens, hidden, sequence);
    const adapters = 2 * 2 * product(tokens, hidden, rank);
    // The first layer needs no gradient of its input, and so none of its keys, nor of what its adapters read.
    const first = 3 * product(tokens, hidden, hidden) + attention + 2 * product(tokens, hidden, rank);
    const body = 2 * (2 * frozen + 2 * attention + 4 * attention + 3 * adapters) - first;
    const head = 3 * (product(batch, hidden, hidden) + product(batch, hidden, labels));
    const { step } = workload("lora", { layers: 2 });
    assert.equal(matmulOperations(step, { batch, sequence }), body + head);
  });
});
