/** Each op's forward value against a plain JavaScript kernel or a number worked out by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  abs,
  add,
  averagePool,
  cast,
  clip,
  concat,
  constant,
  conv,
  convTranspose,
  div,
  erf,
  exp,
  expandLike,
  gather,
  gatherElements,
  gelu,
  geluTanh,
  hardSigmoid,
  input,
  int64s,
  layerNormalization,
  log,
  logSigmoid,
  logSoftmax,
  matmul,
  max,
  maxPool,
  min,
  mul,
  type Node,
  neg,
  type OpType,
  ops,
  pow,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  sigmoid,
  silu,
  slice,
  softmax,
  softplus,
  sqrt,
  squeeze,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
} from "../../../shared/engine/index.ts";
import { cases } from "./gradientCases.ts";
import { evaluate, numbers, tensor } from "./run.ts";

const x = input("x", ["rows", 3]);
const values = [-1.5, 0.25, 2, 0.75, -0.5, 1];
const feeds = { x: tensor([2, 3], values), picked: tensor([2, 1], BigInt64Array.of(2n, 0n)) };
const rowsOfOne = unsqueeze(x, [1]);
const row = constant(Float32Array.of(2, -4, 0.5), [3]);
const across = (f: (value: number, of: number) => number) => values.map((value, i) => f(value, [2, -4, 0.5][i % 3]!));
const rows = (f: (row: number[]) => number[]) => [...f(values.slice(0, 3)), ...f(values.slice(3))];
const sum = (list: number[]) => list.reduce((total, value) => total + value, 0);
const softmaxed = (list: number[]) => list.map((value) => Math.exp(value) / sum(list.map(Math.exp)));
const total = sum(values);

function normalised(list: number[]): number[] {
  const mean = sum(list) / 3;
  const deviation = Math.sqrt(sum(list.map((value) => (value - mean) ** 2)) / 3 + 1e-5);
  return list.map((value, i) => ((value - mean) / deviation) * [2, -4, 0.5][i]! + [2, -4, 0.5][i]!);
}

/** Abramowitz and Stegun 7.1.5, the power series, to double precision for small arguments. */
function erfOf(z: number): number {
  let [term, result] = [z, z];
  for (let n = 1; n < 60; n++) {
    term *= -(z * z) / n;
    result += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * result;
}

/** Hendrycks and Gimpel 2016, section 2. */
const tanhGelu = (z: number) => 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3)));

const golden: Partial<Record<OpType, readonly [Node, readonly number[]]>> = {
  Add: [add(x, row), across((a, b) => a + b)],
  Sub: [sub(x, row), across((a, b) => a - b)],
  Mul: [mul(x, row), across((a, b) => a * b)],
  Div: [div(x, row), across((a, b) => a / b)],
  Pow: [pow(abs(x), 2.5), values.map((value) => Math.abs(value) ** 2.5)],
  Max: [max(x, row), across(Math.max)],
  Min: [min(x, row), across(Math.min)],
  Neg: [neg(x), values.map((value) => -value)],
  Exp: [exp(x), values.map(Math.exp)],
  Log: [log(abs(x)), values.map((value) => Math.log(Math.abs(value)))],
  Sqrt: [sqrt(abs(x)), values.map((value) => Math.sqrt(Math.abs(value)))],
  Abs: [abs(x), values.map(Math.abs)],
  Tanh: [tanh(x), values.map(Math.tanh)],
  Sigmoid: [sigmoid(x), values.map((value) => 1 / (1 + Math.exp(-value)))],
  Relu: [relu(x), values.map((value) => Math.max(value, 0))],
  HardSigmoid: [hardSigmoid(x, 0.5, 0.25), values.map((value) => Math.min(Math.max(0.5 * value + 0.25, 0), 1))],
  Erf: [erf(x), values.map(erfOf)],
  Gelu: [gelu(x), values.map((value) => (value * (1 + erfOf(value / Math.SQRT2))) / 2)],
  Softplus: [
    softplus(mul(x, 50)),
    values.map((value) => Math.max(50 * value, 0) + Math.log1p(Math.exp(-Math.abs(50 * value)))),
  ],
  Clip: [clip(x, -0.5, 1), values.map((value) => Math.min(Math.max(value, -0.5), 1))],
  Where: [where(constant(Uint8Array.of(1, 0, 1), [3], "bool"), x, row), [-1.5, -4, 2, 0.75, -4, 1]],
  Cast: [cast(x, "int32"), [-1, 0, 2, 0, 0, 1]],
  MatMul: [matmul(x, constant(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2])), [9.25, 10, 4.25, 5.5]],
  Transpose: [transpose(x, [1, 0]), [-1.5, 0.75, 0.25, -0.5, 2, 1]],
  Reshape: [reshape(x, [3, "rows"]), values],
  Expand: [expandLike(constant(Float32Array.of(1, 2, 3), [3]), x), [1, 2, 3, 1, 2, 3]],
  Squeeze: [squeeze(slice(x, { axis: 1, start: 1, end: 2 }), [1]), [0.25, -0.5]],
  Unsqueeze: [unsqueeze(x, [1]), values],
  Concat: [concat([x, x], 1), [-1.5, 0.25, 2, -1.5, 0.25, 2, 0.75, -0.5, 1, 0.75, -0.5, 1]],
  Slice: [slice(x, { axis: 1, start: 1, end: 3 }), [0.25, 2, -0.5, 1]],
  Pad: [
    ops.Pad([x, int64s([0, 1, 0, 0]), constant(9)], { to: ["rows", 4], axis: 1 }),
    [9, -1.5, 0.25, 2, 9, 0.75, -0.5, 1],
  ],
  ReduceSum: [reduceSum(x), [total]],
  ReduceSumSquare: [reduceSumSquare(x, { axes: [1] }), rows((list) => [sum(list.map((value) => value ** 2))])],
  ReduceMean: [reduceMean(x, { axes: [1] }), rows((list) => [sum(list) / 3])],
  ReduceMax: [reduceMax(x, { axes: [0] }), [0.75, 0.25, 2]],
  ReduceMin: [reduceMin(x, { axes: [0] }), [-1.5, -0.5, 1]],
  Softmax: [softmax(x), rows(softmaxed)],
  LogSoftmax: [logSoftmax(x), rows((list) => softmaxed(list).map(Math.log))],
  LayerNormalization: [layerNormalization(x, row, row, 1e-5), rows(normalised)],
  Gather: [
    gather(x, constant(Int32Array.of(1, 1, 0), [3])),
    [...values.slice(3), ...values.slice(3), ...values.slice(0, 3)],
  ],
  GatherElements: [gatherElements(x, input("picked", ["rows", 1], "int64"), 1), [2, 0.75]],
  // Taps two apart: the first and the last element of a row.
  Conv: [
    conv(rowsOfOne, constant(Float32Array.of(2, 10), [1, 1, 2]), { dilation: 2 }),
    rows(([a, , c]) => [2 * a! + 10 * c!]),
  ],
  ConvTranspose: [
    convTranspose(rowsOfOne, constant(Float32Array.of(2, 10), [1, 1, 2])),
    rows(([a, b, c]) => [2 * a!, 10 * a! + 2 * b!, 10 * b! + 2 * c!, 10 * c!]),
  ],
  MaxPool: [maxPool(rowsOfOne, { kernel: 2, stride: 1 }), rows(([a, b, c]) => [Math.max(a!, b!), Math.max(b!, c!)])],
  AveragePool: [averagePool(rowsOfOne, { kernel: 2, stride: 1 }), rows(([a, b, c]) => [(a! + b!) / 2, (b! + c!) / 2])],
  ScatterElements: [
    ops.ScatterElements([x, constant(Int32Array.of(1, 1), [1, 2]), constant(Float32Array.of(10, 20), [1, 2])], {
      axis: 1,
      reduction: "add",
    }),
    [-1.5, 30.25, 2, 0.75, -0.5, 1],
  ],
};

const composed: Record<string, readonly [Node, readonly number[]]> = {
  geluTanh: [geluTanh(x), values.map(tanhGelu)],
  silu: [silu(x), values.map((value) => value / (1 + Math.exp(-value)))],
  "logSigmoid of large operands": [logSigmoid(mul(x, 400)), [-600, 0, 0, 0, -200, 0]],
};

describe("the value of each op", () => {
  for (const [op, [node, expected]] of Object.entries({ ...golden, ...composed })) {
    it(op, async () => {
      const found = numbers((await evaluate({ y: node }, feeds)).y);
      assert.equal(found.length, expected.length);
      for (const [i, value] of found.entries()) {
        assert.ok(
          Math.abs(value - expected[i]!) < 2e-6 * Math.max(1, Math.abs(expected[i]!)),
          `${found} is not ${expected}`,
        );
      }
    });
  }

  it("is checked here or among the ops without gradient, for all of them", () => {
    const unchecked = Object.keys(cases).filter((op) => !(op in golden) && Array.isArray(cases[op as OpType]));
    assert.deepEqual(unchecked, []);
  });
});
