/** LSTM and GRU against plain JavaScript in float64, padding, and gradients of every weight. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  gru,
  initializeByFan,
  input,
  lstm,
  mul,
  type Node,
  type RecurrentOptions,
  reduceSum,
  WeightScope,
} from "../../../shared/engine/index.ts";
import { tolerance, worstError } from "./finiteDifferences.ts";
import { assertClose, evaluate, numbers, randomValues, tensor } from "./run.ts";

type Vector = number[];
type Weights = Record<string, number[]>;
const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** W x + b for W of as many rows as b. */
function affine(weights: Weights, from: "ih" | "hh", suffix: string, x: Vector): Vector {
  const [w, b] = [weights[`weight_${from}${suffix}`]!, weights[`bias_${from}${suffix}`]!];
  return b.map((shift, row) => x.reduce((sum, value, i) => sum + value * w[row * x.length + i]!, shift));
}

/** The equations of PyTorch's documentation of nn.LSTM and nn.GRU, one step. */
const cells = {
  lstm: (gi: Vector, gh: Vector, h: Vector, c: Vector) => {
    const gate = (k: number, i: number) => gi[k * h.length + i]! + gh[k * h.length + i]!;
    const next = c.map((value, i) => sigmoid(gate(1, i)) * value + sigmoid(gate(0, i)) * Math.tanh(gate(2, i)));
    return { h: next.map((value, i) => sigmoid(gate(3, i)) * Math.tanh(value)), c: next };
  },
  gru: (gi: Vector, gh: Vector, h: Vector, c: Vector) => {
    const at = (list: Vector, k: number, i: number) => list[k * h.length + i]!;
    const next = h.map((value, i) => {
      const [r, z] = [sigmoid(at(gi, 0, i) + at(gh, 0, i)), sigmoid(at(gi, 1, i) + at(gh, 1, i))];
      const n = Math.tanh(at(gi, 2, i) + r * at(gh, 2, i));
      return (1 - z) * n + z * value;
    });
    return { h: next, c };
  },
};

/** One direction of one layer over one row; a padded step leaves the state and gives zeros. */
function course(kind: keyof typeof cells, weights: Weights, suffix: string, row: Vector[], seen: number[]) {
  const order = suffix.endsWith("reverse") ? [...row.keys()].reverse() : [...row.keys()];
  let state = { h: Array<number>(hidden).fill(0), c: Array<number>(hidden).fill(0) };
  const outputs: Vector[] = [];
  for (const t of order) {
    if (seen[t])
      state = cells[kind](
        affine(weights, "ih", suffix, row[t]!),
        affine(weights, "hh", suffix, state.h),
        state.h,
        state.c,
      );
    outputs[t] = seen[t] ? state.h : state.h.map(() => 0);
  }
  return { outputs, last: state.h };
}

const [hidden, inputs, length] = [3, 2, 5];
const values = [...randomValues(2 * length * inputs, { seed: 9, low: -2, high: 2 })];
const rows = [0, 1].map((row) =>
  Array.from({ length }, (_, t) => values.slice((row * length + t) * inputs, (row * length + t + 1) * inputs)),
);
const mask = [
  [1, 1, 1, 1, 1],
  [1, 1, 0, 0, 0],
];

function reference(kind: keyof typeof cells, weights: Weights, { layers = 1, bidirectional = false, masked = true }) {
  const directions = bidirectional ? ["", "_reverse"] : [""];
  return rows.map((row, i) => {
    let below = row;
    let last: Vector = [];
    for (let layer = 0; layer < layers; layer++) {
      const seen = masked ? mask[i]! : row.map(() => 1);
      const found = directions.map((direction) => course(kind, weights, `_l${layer}${direction}`, below, seen));
      below = below.map((_, t) => found.flatMap(({ outputs }) => outputs[t]!));
      last = found.flatMap((each) => each.last);
    }
    return { states: below, last };
  });
}

const x = input("x", ["batch", length, inputs]);
const maskNode = input("mask", ["batch", length], "int32");
const feeds = { x: tensor([2, length, inputs], values), mask: tensor([2, length], Int32Array.from(mask.flat())) };
const layers = { lstm, gru };

async function compare(kind: keyof typeof cells, options: Omit<RecurrentOptions, "hidden">) {
  const scope = new WeightScope();
  const { states, last } = layers[kind](scope, x, { hidden, ...options });
  const weights = Object.fromEntries(
    scope.parameters.map(({ name, type }, i) => [name!, tensor(type.shape as number[], weightValues(type.shape, i))]),
  );
  const found = await evaluate({ states, last }, { ...feeds, ...weights });
  const plain = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, Array.from(data, Number)]));
  const expected = reference(kind, plain, { ...options, masked: options.mask !== undefined });
  assertClose(
    numbers(found.states),
    expected.flatMap((row) => row.states.flat()),
    2e-6,
  );
  assertClose(
    numbers(found.last),
    expected.flatMap((row) => row.last),
    2e-6,
  );
}

function weightValues(shape: Node["type"]["shape"], seed: number): Float32Array {
  return randomValues(
    shape.reduce<number>((size, dim) => size * Number(dim), 1),
    { seed: seed + 3 },
  );
}

for (const kind of ["lstm", "gru"] as const) {
  describe(kind, () => {
    it("agrees with float64", () => compare(kind, {}));
    it("leaves its state where steps are padding", () => compare(kind, { mask: maskNode }));
    it("stacks and reads both ways", () => compare(kind, { mask: maskNode, layers: 2, bidirectional: true }));

    it("differentiates for every weight and the input, through padding", async () => {
      const named = new WeightScope();
      layers[kind](named, input("x", ["batch", 3, 2]), { hidden: 2, bidirectional: true });
      const shapes = Object.fromEntries(named.parameters.map(({ name, type }) => [name!, type.shape]));
      const error = await worstError({
        operands: { x: ["batch", 3, 2], ...shapes },
        build: ({ x: sequence, ...weights }) => {
          const scope = new WeightScope(undefined, "", new Map(Object.entries(weights)));
          const seen = input("mask", ["batch", 3]);
          const { states, last } = layers[kind](scope, sequence!, { hidden: 2, bidirectional: true, mask: seen });
          return add(reduceSum(mul(states, states)), reduceSum(last));
        },
        feeds: { mask: tensor([2, 3], [1, 1, 1, 1, 0, 0]) },
      });
      assert.ok(error < tolerance, `off by ${error}`);
    });
  });
}

describe("a recurrent layer", () => {
  it("refuses a sequence of unknown length", () => {
    const open = input("x", ["batch", "sequence", 2]);
    assert.throws(() => lstm(new WeightScope(), open, { hidden: 2 }), /axis 1 must be of known length/);
  });

  it("starts from weights under which the state neither grows nor dies", () => {
    const scope = new WeightScope();
    lstm(scope, input("x", ["batch", 2, 100]), { hidden: 100 });
    const first = initializeByFan(scope.parameters, 1).weight_hh_l0!;
    const deviation = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0) / first.length);
    assert.ok(Math.abs(deviation - 0.1) < 2e-3);
  });
});
