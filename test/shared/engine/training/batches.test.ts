/** Batches by length: every row once an epoch, within the budget, and the same whenever a step is asked for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createEncoderLearner } from "../../../../shared/engine/models/encoderLearner.ts";
import { lengthBatches, paddingShare } from "../../../../shared/engine/training/batches.ts";
import { logitsOf } from "../../../../shared/engine/training/textBatches.ts";
import { bytesOf } from "../run.ts";

// Few long rows among many short ones, as in texts.
const lengths = Array.from({ length: 500 }, (_, i) => 1 + Math.floor(120 * ((i * 37) % 101) ** 4 * 1e-8));
const options = { lengths, tokenBudget: 256, maxRows: 16, seed: 3 };
const epoch = (batches: ReturnType<typeof lengthBatches>, number: number) =>
  Array.from({ length: batches.perEpoch }, (_, i) => [...batches.rowsOf(number * batches.perEpoch + i)]);
const spread = (rows: readonly number[]) => Math.max(...rows.map((row) => lengths[row]!));

describe("batches by length", () => {
  it("hold every row once an epoch, within tokens and rows, for any lengths", () => {
    const anyLengths = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 60 });
    const limits = fc.record({
      tokenBudget: fc.integer({ min: 50, max: 200 }),
      maxRows: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(anyLengths, limits, fc.nat(3), (lengths, limits, number) => {
        const found = epoch(lengthBatches({ lengths, ...limits, seed: 1 }), number);
        assert.deepEqual(
          found.flat().sort((a, b) => a - b),
          [...lengths.keys()],
        );
        for (const rows of found) {
          assert.ok(rows.length > 0 && rows.length <= limits.maxRows);
          assert.ok(rows.length * Math.max(...rows.map((row) => lengths[row]!)) <= limits.tokenBudget);
        }
      }),
    );
  });

  it("pad little", () => {
    const batches = lengthBatches(options);
    const order = Array.from({ length: 32 }, (_, i) => Int32Array.from(lengths.keys()).subarray(16 * i, 16 * i + 16));
    const sorted = epoch(batches, 0).map((rows) => Int32Array.from(rows));
    assert.ok(paddingShare(sorted, lengths) < 0.1, "sorted");
    assert.ok(
      paddingShare(
        order.filter(({ length }) => length > 0),
        lengths,
      ) > 0.5,
      "as they come",
    );
  });

  it("come in another order, of other rows, in each epoch and for each seed", () => {
    const [first, second] = [epoch(lengthBatches(options), 0), epoch(lengthBatches(options), 1)];
    const other = epoch(lengthBatches({ ...options, seed: 4 }), 0);
    for (const found of [second, other]) {
      assert.notDeepEqual(found.map(spread), first.map(spread), "the order of lengths");
      const sets = new Set(first.map((rows) => rows.toSorted().join()));
      assert.ok(
        found.filter((rows) => sets.has(rows.toSorted().join())).length < found.length / 4,
        "the company of rows",
      );
    }
    const ascending = first.map(spread).toSorted((a, b) => a - b);
    assert.notDeepEqual(first.map(spread), ascending, "batches are shuffled");
  });

  it("are the same from whatever step a run goes on", () => {
    const whole = lengthBatches(options);
    const steps = Array.from({ length: 3 * whole.perEpoch }, (_, step) => whole.rowsOf(step));
    for (const step of [2 * whole.perEpoch + 1, 5, whole.perEpoch, 0]) {
      assert.deepEqual(lengthBatches(options).rowsOf(step), steps[step]);
    }
  });

  it("refuse a row that exceeds the budget alone", () => {
    assert.throws(
      () => lengthBatches({ lengths: [3, 300], tokenBudget: 256, seed: 1 }),
      /row 1 has 300 tokens, more than the budget of 256/,
    );
  });
});

describe("the encoder", () => {
  it("goes on from the state of any step to the same bits", async () => {
    const texts = Array.from({ length: 12 }, (_, i) => `a text ${"with words ".repeat(i % 5)} and number ${i}`);
    const train = { texts, labels: Int32Array.from(texts, (_, i) => i % 2) };
    const valid = { texts: [], labels: new Int32Array(0) };
    const hyperparameters = { n_epochs: 1, batch_size: 4, learning_rate_multiplier: 1 };
    const learner = await createEncoderLearner({
      ...{ train, valid, refit: false, base: null, classes: 2, seed: 9, threads: 1, hyperparameters },
    });
    const finish = async (from: number) => {
      for (let step = from; step < learner.totalSteps; step++) await learner.step(step);
      return learner.state();
    };
    await learner.step(0);
    const middle = structuredClone(learner.state());
    const whole = await finish(1);
    learner.restore(middle);
    const again = await finish(1);
    for (const [name, value] of Object.entries(whole)) assert.ok(bytesOf(value).equals(bytesOf(again[name]!)), name);
    await learner.release();
  });

  it("gives logits in the order of the texts, whatever their lengths", async () => {
    const texts = Array.from({ length: 900 }, (_, i) => Int32Array.from({ length: 1 + ((i * 31) % 60) }, () => i));
    const sizes: number[] = [];
    const logits = await logitsOf(
      async ({ input_ids }) => {
        const [rows, width] = input_ids.shape as [number, number];
        sizes.push(rows * width);
        const first = Array.from({ length: rows }, (_, row) => input_ids.data[row * width] as number);
        return { logits: { shape: [rows, 2], data: Float32Array.from(first.flatMap((id) => [id, -id])) } };
      },
      texts,
      2,
    );
    assert.deepEqual(
      Array.from(logits),
      texts.flatMap((_, i) => [i, -i]),
    );
    assert.ok(sizes.length > 1 && Math.max(...sizes) <= 4096);
  });
});
