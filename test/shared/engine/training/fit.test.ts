/** Fitting any model: it learns, the same each time and however it is cut, and keeps the best it found. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  crossEntropy,
  input,
  linear,
  linearModel,
  meanSquaredError,
  relu,
  type Tensor,
} from "../../../../shared/engine/index.ts";
import { batchNorm } from "../../../../shared/engine/layers/batchNorm.ts";
import { dropout } from "../../../../shared/engine/layers/dropout.ts";
import { type FitOptions, fit } from "../../../../shared/engine/training/fit.ts";
import type { ModelFunction, Tensors } from "../../../../shared/engine/training/fitGraph.ts";
import { takeRows } from "../../../../shared/engine/training/fitRows.ts";
import { createFitter, type FitterOptions } from "../../../../shared/engine/training/fitter.ts";
import { predict } from "../../../../shared/engine/training/predict.ts";
import { assertClose, bytesOf, numbers, randomValues, tensor } from "../run.ts";

const rows = 70;
const x = randomValues(rows * 3, { seed: 3 });
const score = (row: number) => x[row * 3]! - 2 * x[row * 3 + 1]! + 0.5 * x[row * 3 + 2]!;
const take = (chosen: Int32Array) =>
  Float32Array.from({ length: chosen.length * 3 }, (_, i) => {
    return x[chosen[Math.floor(i / 3)]! * 3 + (i % 3)]!;
  });
const features = input("x", ["batch", 3]);

const line: FitOptions = {
  model: (scope) => linearModel(scope, features, { features: 3, outputs: 1 }),
  loss: (output) => meanSquaredError(output, input("y", ["batch", 1])),
  rows,
  batch: 16,
  epochs: 60,
  feeds: (chosen) => ({
    x: tensor([chosen.length, 3], take(chosen)),
    y: tensor([chosen.length, 1], Float32Array.from(chosen, score)),
  }),
  learningRate: 0.1,
  seed: 1,
};

/** With everything that is carried, drawn or left out of inference. */
const network: ModelFunction = (scope, training) => {
  const hidden = relu(linear(scope.scope("first"), features, 3, 8));
  const normal = batchNorm(scope.scope("norm"), hidden, { training: training?.buffers });
  return linear(scope.scope("second"), dropout(normal, "hidden", training?.dropout), 8, 2);
};
const classes: FitterOptions = {
  ...line,
  model: network,
  loss: (output) => crossEntropy(output, input("labels", ["batch"], "int32")),
  epochs: 3,
  feeds: (chosen) => ({
    x: tensor([chosen.length, 3], take(chosen)),
    labels: tensor(
      [chosen.length],
      Int32Array.from(chosen, (row) => (score(row) > 0 ? 1 : 0)),
    ),
  }),
  dropout: 0.2,
  average: 0.9,
};

function assertSame(found: Tensors, expected: Tensors): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) assert.ok(bytesOf(found[name]!).equals(bytesOf(value)), name);
}

describe("a fit", () => {
  it("finds the weights of a linear function, and tells how far it is", async () => {
    const told: number[] = [];
    const { weights, steps } = await fit({ ...line, watch: ({ step, loss }) => told.push(step, loss) });
    assertClose(numbers(weights.weight), [1, -2, 0.5], 1e-2);
    assert.equal(steps, 4 * 60);
    assert.equal(told.at(-2), steps);
    assert.ok(told.at(-1)! < told[1]! / 100);
  });

  it("moves only the weights that are to be trained, from where it was told to start", async () => {
    const start = { weight: tensor([1, 3], [1, -2, 4]), bias: tensor([1], [7]) };
    const { weights } = await fit({ ...line, epochs: 10, learningRate: 0.5, start, trains: (name) => name === "bias" });
    assert.deepEqual(numbers(weights.weight), [1, -2, 4]);
    assert.ok(Math.abs(numbers(weights.bias)[0]!) < 2);
  });

  it("keeps the weights of the best epoch, and ends when none better comes", async () => {
    const scores = [1, 3, 2, 2, 9];
    const seen: Tensors[] = [];
    const validate = async (weights: Tensors) => scores[seen.push(weights) - 1]!;
    const found = await fit({ ...line, epochs: 5, validate, patience: 2 });
    assert.equal(seen.length, 4);
    assert.equal(found.score, 3);
    assert.equal(found.steps, 8);
    assertSame(found.weights, seen[1]!);
  });

  it("ends when it is told to", async () => {
    const stop = new AbortController();
    const watch = () => stop.abort(new Error("enough"));
    await assert.rejects(fit({ ...line, watch, signal: stop.signal }), /enough/);
  });

  it("is refused where there is no step to take", async () => {
    await assert.rejects(fit({ ...line, epochs: 0 }), /0 epochs of 70 rows in batches of 16 are no step/);
    await assert.rejects(fit({ ...line, trains: () => false }), /no weight is to be trained/);
    const start = { weights: tensor([1, 3], [1, 2, 3]) };
    await assert.rejects(fit({ ...line, start }), /"weights" is to start from a value, but is no weight/);
  });
});

describe("a fitter", () => {
  async function run(options: FitterOptions, cuts: readonly number[]): Promise<{ state: Tensors; weights: Tensors }> {
    let state: Tensors | undefined;
    for (const [i, cut] of cuts.entries()) {
      const fitter = await createFitter(options);
      if (state) fitter.restore(state);
      await fitter.advance(cuts[i - 1] ?? 0, cut);
      state = fitter.state();
      const weights = fitter.weights();
      await fitter.release();
      if (i === cuts.length - 1) return { state, weights };
    }
    throw new RangeError("no cut");
  }

  it("comes to the same bits however it is cut, and however many steps a call takes", async () => {
    const whole = await run(classes, [12]);
    assertSame((await run(classes, [5, 7, 12])).state, whole.state);
    assertSame((await run({ ...classes, stepsPerCall: 5 }, [12])).state, whole.state);
    assertSame((await run({ ...classes, stepsPerCall: 3 }, [4, 12])).weights, whole.weights);
  });

  it("gives the average of the weights, and statistics as they are", async () => {
    const { state, weights } = await run(classes, [12]);
    assert.deepEqual(weights["first.weight"], state["average:first.weight"]);
    assert.deepEqual(weights["norm.running_mean"], state["norm.running_mean"]);
    assert.notDeepEqual(weights["first.weight"], state["first.weight"]);
    assert.ok(!Object.keys(weights).some((name) => name.includes(":") || name === "adamw.step"));
  });

  it("shows every row once an epoch, in another order each time", async () => {
    const seen: number[][] = [];
    const feeds = (chosen: Int32Array): Record<string, Tensor> => {
      seen.push([...chosen]);
      return line.feeds(chosen, 0) as Record<string, Tensor>;
    };
    const fitter = await createFitter({ ...line, batch: 35, epochs: 2, feeds });
    await fitter.advance(0, 4);
    await fitter.release();
    const epochs = [seen.slice(0, 2).flat(), seen.slice(2).flat()];
    for (const epoch of epochs)
      assert.deepEqual(
        epoch.toSorted((a, b) => a - b),
        [...Array(rows).keys()],
      );
    assert.notDeepEqual(epochs[0], epochs[1]);
  });
});

it("rows are taken from each column in the order asked for, of whatever type and shape", () => {
  const columns = { a: tensor([3, 2], [1, 2, 3, 4, 5, 6]), b: tensor([3], Int32Array.of(7, 8, 9)) };
  assert.deepEqual(takeRows(columns, Int32Array.of(2, 0, 2, 2)), {
    a: tensor([4, 2], [5, 6, 1, 2, 5, 6, 5, 6]),
    b: tensor([4], Int32Array.of(9, 7, 9, 9)),
  });
});

describe("predictions", () => {
  it("are those of each row, whatever the batch", async () => {
    const { weights } = await fit({ ...classes, epochs: 1 });
    const ask = { model: network, weights, rows, feeds: (chosen: Int32Array) => classes.feeds(chosen, 0) };
    const [some, all] = [await predict({ ...ask, batch: 32 }), await predict({ ...ask, batch: rows })];
    assert.deepEqual(some.shape, [rows, 2]);
    assertClose(numbers(some), numbers(all), 1e-5);
  });
});
