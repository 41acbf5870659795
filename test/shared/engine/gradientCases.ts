/** What to differentiate for each op: an op without a case here does not compile. */
import {
  abs,
  add,
  bitwiseXor,
  cast,
  clip,
  concat,
  constant,
  div,
  equal,
  erf,
  exp,
  expandLike,
  gather,
  gatherElements,
  gelu,
  geluTanh,
  gradients,
  greater,
  hardSigmoid,
  input,
  int64s,
  layerNormalization,
  less,
  log,
  logSoftmax,
  type Model,
  matmul,
  max,
  min,
  mul,
  type Node,
  neg,
  type OpType,
  ops,
  pad,
  pow,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  reshapeLike,
  type Shape,
  scatterElements,
  shiftRight,
  sigmoid,
  sign,
  slice,
  sliceLike,
  softmax,
  softplus,
  sqrt,
  square,
  squeeze,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
} from "../../../shared/engine/index.ts";
import { blockProduct } from "../../../shared/engine/ops/blockQuantized.ts";
import { result } from "../../../shared/engine/ops/results.ts";
import {
  averagePoolCases,
  convCases,
  convTransposeCases,
  maxPoolCases,
  symbolicConvCases,
} from "./gradientCasesWindows.ts";
import { both, each, positive, reductions, size, spread, type Variant } from "./gradientVariants.ts";
import { randomValues, tensor } from "./run.ts";

export interface Forward {
  readonly build: () => Node;
  readonly expected: readonly number[];
  readonly domains?: Model["domains"];
}

const forward = (expected: readonly number[], build: () => Node): Forward => ({ build, expected });
const row = (...values: number[]) => constant(Float32Array.from(values), [values.length]);
const bits = (...values: number[]) => constant(Uint32Array.from(values), [values.length]);
const ids = input("ids", ["batch", "sequence"], "int32");
const idsFeed = { ids: tensor([2, 3], Int32Array.of(0, 3, 3, 1, 3, 0)) };

const shapes: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3],
    [3, 2],
  ],
  [
    [2, 2, 3],
    [3, 2],
  ],
  [
    [2, 2, 3],
    [2, 3, 2],
  ],
  [
    [2, 3],
    [2, 3, 2],
  ],
  [
    [2, 1, 2, 3],
    [2, 3, 1],
  ],
  [
    ["batch", "sequence", 2],
    [2, 4],
  ],
  [
    ["batch", 2, "sequence", 2],
    ["batch", 2, 2, "sequence"],
  ],
];

export const cases: Record<OpType, Variant[] | Forward> = {
  Add: both(add),
  Sub: both(sub),
  Mul: [...both(mul), { operands: { x: [3] }, build: ({ x }) => mul(square(x!), x!) }],
  Div: both(div, (length, operand) => (operand === 0 ? randomValues(length, { seed: 5 }) : positive(length))),
  Pow: [...both(pow, (length) => positive(length)), { operands: { x: [4] }, build: ({ x }) => pow(x!, 3) }],
  Max: both(max, (length, operand) => spread(length).map((value) => value + operand * 0.071)),
  Min: both(min, (length, operand) => spread(length).map((value) => value + operand * 0.071)),
  Neg: each(neg),
  Exp: each(exp),
  Log: each(log, positive),
  Sqrt: each(sqrt, positive),
  Abs: each(abs, spread),
  Sign: forward([-1, 0, 1], () => sign(row(-2, 0, 0.5))),
  Tanh: each(tanh),
  Sigmoid: each(sigmoid),
  Relu: each(relu, spread),
  HardSigmoid: each((x) => hardSigmoid(x, 0.5, 0.43), spread),
  Erf: each(erf),
  Gelu: [...each(gelu), ...each(geluTanh)],
  Softplus: each(softplus),
  Clip: each((x) => clip(x, -0.5, 0.5), spread),
  Equal: forward([0, 1], () => equal(row(1, 2), 2)),
  Greater: forward([0, 0, 1], () => greater(row(1, 2, 3), 2)),
  Less: forward([1, 0, 0], () => less(bits(1, 2, 0x90000000), bits(2, 2, 0x80000000))),
  Where: [
    {
      operands: { a: [2, 3], b: [3] },
      build: ({ a, b }) => where(constant(Uint8Array.of(1, 0), [2, 1], "bool"), a!, b!),
    },
    { operands: { x: ["batch", 2] }, build: ({ x }) => where(greater(x!, 0), mul(x!, 2), 0), values: { x: spread(4) } },
  ],
  Cast: [{ operands: { x: [2, 3] }, build: ({ x }) => cast(square(cast(x!, "float64")), "float32") }],
  MatMul: shapes.map(([a, b]) => ({ operands: { a, b }, build: (nodes) => matmul(nodes.a!, nodes.b!) })),
  Transpose: [
    { operands: { x: [2, 3, 4] }, build: ({ x }) => transpose(x!, [2, 0, 1]) },
    { operands: { x: ["batch", "sequence", 2] }, build: ({ x }) => transpose(x!, [1, 2, 0]) },
  ],
  Reshape: [
    { operands: { x: [2, 6] }, build: ({ x }) => reshape(x!, [3, 4]) },
    { operands: { x: ["batch", "sequence", 4] }, build: ({ x }) => reshape(x!, ["batch", "sequence", 2, 2]) },
    { operands: { x: ["batch", "sequence", 4] }, build: ({ x }) => reshape(x!, ["batch*sequence", 4]) },
    { operands: { x: ["batch", "sequence"] }, build: ({ x }) => reshapeLike(transpose(x!, [1, 0]), x!) },
  ],
  Expand: [
    { operands: { x: [1, 3], like: [2, 3] }, build: ({ x, like }) => add(expandLike(x!, like!), square(like!)) },
    { operands: { x: [2], like: ["batch", "sequence", 2] }, build: ({ x, like }) => mul(expandLike(x!, like!), like!) },
  ],
  Squeeze: each((x) => squeeze(unsqueeze(mul(x, x), [0, 2]), [2])),
  Unsqueeze: each((x) => unsqueeze(mul(x, x), [1])),
  Concat: [
    { operands: { a: [2, 3], b: [2, 1] }, build: ({ a, b }) => concat([a!, square(b!), a!], 1) },
    { operands: { a: ["batch", 2], b: ["sequence", 2] }, build: ({ a, b }) => concat([square(a!), b!], 0) },
  ],
  Slice: [
    { operands: { x: [2, 5] }, build: ({ x }) => slice(square(x!), { axis: 1, start: 1, end: 3 }) },
    { operands: { x: ["batch", 4] }, build: ({ x }) => slice(x!, { axis: -1, end: 2 }) },
    { operands: { table: [5, 2] }, build: ({ table }) => sliceLike(table!, 0, ids, 1), feeds: idsFeed },
  ],
  Pad: [
    { operands: { x: ["batch", 2] }, build: ({ x }) => pad(square(x!), { axis: -1, before: 1, behind: 2, value: 7 }) },
    { operands: { x: ["batch", 2] }, build: ({ x }) => pad(x!, { axis: 0, before: 1 }) },
    { operands: { x: [2, 2] }, build: ({ x }) => paddedColumns(x!) },
    {
      operands: { x: ["batch", 2] },
      build: ({ x }) => paddedColumns(x!),
      feeds: { source: tensor([2, 5], new Float32Array(10)) },
    },
    {
      operands: { x: ["batch", 2] },
      build: ({ x }) => paddedRows(x!),
      feeds: { source: tensor([4, 2], new Float32Array(8)) },
    },
  ],
  Shape: forward([2, 1], () => ops.Shape([constant(new Float32Array(6), [3, 2, 1])], { start: 1, end: 3 })),
  ConstantOfShape: forward([0, 0, 0], () => ops.ConstantOfShape([int64s([3])], { to: [3] })),
  ReduceSum: reductions(reduceSum),
  ReduceSumSquare: reductions(reduceSumSquare),
  ReduceMean: reductions(reduceMean),
  ReduceMax: reductions(reduceMax, spread),
  ReduceMin: reductions(reduceMin, spread),
  Softmax: each(softmax),
  LogSoftmax: [
    { operands: { x: [2, 4] }, build: ({ x }) => logSoftmax(x!) },
    { operands: { x: ["batch", "sequence", 3] }, build: ({ x }) => logSoftmax(x!) },
  ],
  LayerNormalization: [[2, 4] as Shape, ["batch", "sequence", 4] as Shape].map((x) => ({
    operands: { x, weight: [4], bias: [4] },
    build: (nodes: Record<string, Node>) => layerNormalization(nodes.x!, nodes.weight!, nodes.bias!, 1e-2),
    values: { x: spread(size(x)) },
  })),
  Gather: [
    { operands: { table: [4, 3] }, build: ({ table }) => gather(square(table!), ids), feeds: idsFeed },
    { operands: { table: ["batch", 4, 2] }, build: ({ table }) => gather(square(table!), ids, 1), feeds: idsFeed },
    { operands: { table: [2, 4] }, build: ({ table }) => gather(table!, constant(Int32Array.of(3, 3), [2]), -1) },
    { operands: { table: [4] }, build: ({ table }) => gather(table!, ids), feeds: idsFeed },
    { operands: { table: [4, 2, 2] }, build: ({ table }) => gather(table!, constant(BigInt64Array.of(2n, 2n), [2])) },
  ],
  GatherElements: [
    { operands: { x: ["batch", 4] }, build: ({ x }) => gatherElements(square(x!), ids, 1), feeds: idsFeed },
    { operands: { x: [2, 3] }, build: ({ x }) => gatherElements(x!, constant(Int32Array.of(1, 0, 1), [1, 3]), 0) },
  ],
  ScatterElements: [
    {
      operands: { data: ["batch", 4], updates: ["batch", "sequence"] },
      build: ({ data, updates }) => scatterElements(data!, ids, square(updates!), 1),
      feeds: idsFeed,
    },
  ],
  Conv: [...convCases, ...symbolicConvCases],
  ConvTranspose: convTransposeCases,
  MaxPool: maxPoolCases,
  AveragePool: averagePoolCases,
  BitwiseXor: forward([6, 0xffffffff], () => bitwiseXor(bits(5, 0xfffffff0), bits(3, 15))),
  BitShift: forward([0, 0x8000], () => shiftRight(bits(65535, 0x80000000), 16)),
  Range: forward([0, 1, 2], () => {
    return ops.Range([constant(0, "int64"), constant(3, "int64"), constant(1, "int64")], { length: 3 });
  }),
  TopK: forward([5, 5, 2], () => {
    return ops.TopK([row(2, 5, -1, 5), constant(BigInt64Array.of(3n), [1])], { length: 3 });
  }),
  CumSum: forward([0, 2, 7], () => ops.CumSum([row(2, 5, -1), constant(0, "int64")], { exclusive: 1 })),
  // From -1 to 3 in steps of 4 / 255: zero is number 64 of them.
  DynamicQuantizeLinear: forward([0, 64, 255], () => ops.DynamicQuantizeLinear([row(-1, 0, 3)], {})),
  QuantizeLinear: forward([126, 103, 255], () => {
    const zeroPoints = constant(Uint8Array.of(128, 100, 128), [3]);
    return ops.QuantizeLinear([row(-2.5, 6, 300), row(1, 2, 1), zeroPoints], { axis: 0 });
  }),
  MatMulInteger: forward([-14, 12], () => {
    const x = constant(Uint8Array.of(3, 5), [1, 2]);
    const weight = constant(Int8Array.of(1, 2, -4, 2), [2, 2]);
    return ops.MatMulInteger([x, weight, constant(1, "uint8")], {});
  }),
  MatMulIntegerToFloat: {
    ...forward([-7, 18], () => {
      const x = constant(Uint8Array.of(3, 5), [1, 2]);
      const weight = constant(Int8Array.of(1, 2, -4, 2), [2, 2]);
      const scales = constant(Float32Array.of(1, 3), [2]);
      return ops.MatMulIntegerToFloat([x, weight, constant(0.5), scales, constant(1, "uint8")], {});
    }),
    domains: ["com.microsoft"],
  },
  FastGelu: {
    ...forward([0, 10, 20], () => ops.FastGelu([row(-1, 4, 19), row(1, 6, 1)], {})),
    domains: ["com.microsoft"],
  },
  // Of each column only the first value counts: 7 - 3 in steps of 0.5, and 1 - 8 in steps of 2.
  MatMulNBits: {
    ...forward([20, -140], () => {
      const x = constant(
        Float32Array.from({ length: 16 }, (_, i) => (i === 0 ? 10 : 0)),
        [1, 16],
      );
      const values = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 7 : i === 8 ? 1 : 0));
      const matrix = {
        values: constant(values, [2, 1, 8]),
        scales: constant(Float32Array.of(0.5, 2), [2, 1]),
        zeroPoints: constant(Uint8Array.of(3, 8), [2, 1]),
      };
      return blockProduct(x, matrix);
    }),
    domains: ["com.microsoft"],
  },
  Result: forward([64], () => {
    return result(ops.DynamicQuantizeLinear([row(-1, 0, 3)], {}), 2, { shape: [], dataType: "uint8" });
  }),
};

// Pad has no function of its own: it is the gradient of a slice, here of `source` projected on x squared.
function padded(x: Node, source: Node, part: Node): Node {
  return gradients(reduceSum(mul(part, square(x))), [source]).get(source)!;
}

function paddedColumns(x: Node): Node {
  const source = input("source", [x.type.shape[0]!, 5]);
  return padded(x, source, slice(source, { axis: 1, start: 1, end: 3 }));
}

function paddedRows(x: Node): Node {
  const source = input("source", [4, 2]);
  return padded(x, source, sliceLike(source, 0, x, 0));
}
