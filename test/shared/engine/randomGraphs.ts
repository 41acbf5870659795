/** Graphs nobody would write: ops put together at random, over values of different shapes that are used again and again. */
import fc from "fast-check";
import {
  abs,
  add,
  cast,
  clip,
  concat,
  constant,
  type DataType,
  div,
  exp,
  expandLike,
  gather,
  greater,
  input,
  layerNormalization,
  log,
  logSoftmax,
  matmul,
  max,
  min,
  mul,
  type Node,
  neg,
  pad,
  parameter,
  pow,
  product,
  reduceMax,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  ShapeError,
  sigmoid,
  slice,
  sliceLike,
  softmax,
  sqrt,
  square,
  squeeze,
  sub,
  swapLast,
  tanh,
  transpose,
  unsqueeze,
  unstack,
  where,
} from "../../../shared/engine/index.ts";
import type { Dim } from "../../../shared/engine/shape.ts";

/** One op: which, on which of the values made so far, and a number that chooses an axis or the like. */
export interface Instruction {
  readonly op: string;
  readonly first: number;
  readonly second: number;
  readonly choice: number;
}

export const sizes: Readonly<Record<string, number>> = { batch: 2, sequence: 3 };
const mostElements = 150;

/** The number of elements where symbolic dimensions have their `sizes`; infinite for others. */
export function elements(shape: readonly Dim[]): number {
  const size = (name: string) =>
    Number.isNaN(Number(name)) ? (sizes[name] ?? Number.POSITIVE_INFINITY) : Number(name);
  return String(product(shape))
    .split("*")
    .reduce((total, name) => total * size(name), 1);
}

type Builder = (a: Node, b: Node, choice: number) => Node;
const axisOf = (a: Node, choice: number) => choice % a.type.shape.length;
const axes = (a: Node) => [...a.type.shape.keys()];
const overAxis = (reduce: typeof reduceSum): Builder => {
  return (a, _, choice) => reduce(a, { axes: [axisOf(a, choice)], keepDims: choice % 2 === 0 });
};
const number = (value: number, like: Node) => constant(value, like.type.dataType);
// Neither a tie nor a pole is ever near: each gradient is one number, and its differences are accurate.
const apart = (b: Node) => add(mul(b, 0.37), 0.111);

const builders: Record<string, Builder> = {
  add,
  sub,
  mul,
  div: (a, b) => div(a, add(square(b), 1)),
  max: (a, b) => max(a, apart(b)),
  min: (a, b) => min(a, apart(b)),
  where: (a, b) => where(greater(a, 0.05), mul(a, b), b),
  pow: (a) => pow(add(square(a), 0.5), 1.5),
  exp: (a) => exp(tanh(a)),
  log: (a) => log(add(square(a), 1)),
  sqrt: (a) => sqrt(add(square(a), 0.5)),
  clip: (a) => clip(a, -0.7, 0.7),
  neg,
  abs,
  relu,
  tanh,
  sigmoid,
  softmax: (a) => softmax(a),
  logSoftmax: (a) => logSoftmax(a),
  layerNorm: (a) => {
    const width = [a.type.shape.at(-1)!] as number[];
    const ramp = (from: number) => Float64Array.from({ length: elements(width) }, (_, i) => from + 0.2 * i);
    const [weight, bias] = [constant(ramp(0.5), width), constant(ramp(-0.3), width)];
    // A large epsilon: rows may be nearly constant.
    return layerNormalization(a, cast(weight, a.type.dataType), cast(bias, a.type.dataType), 0.1);
  },
  matmul: (a, b) => matmul(a, b),
  gram: (a) => matmul(a, swapLast(a)),
  reduceSum: overAxis(reduceSum),
  reduceMean: overAxis(reduceMean),
  reduceMax: overAxis(reduceMax),
  transpose: (a, _, choice) => {
    const turned = axes(a).map((axis) => (axis + choice) % a.type.shape.length);
    return transpose(a, turned);
  },
  flatten: (a) => reshape(a, [product(a.type.shape.slice(0, -1)), a.type.shape.at(-1)!]),
  unsqueeze: (a, _, choice) => unsqueeze(a, [choice % (a.type.shape.length + 1)]),
  squeeze: (a) =>
    squeeze(
      a,
      axes(a).filter((axis) => a.type.shape[axis] === 1),
    ),
  expand: (a, b) => expandLike(a, b),
  slice: (a, _, choice) => slice(a, { axis: axisOf(a, choice), start: choice % 2, end: 2 }),
  sliceLike: (a, b, choice) => {
    const [from, like] = [axisOf(a, choice), axisOf(b, choice)];
    // How long a symbolic axis is, is known here only.
    if (elements([a.type.shape[from]!]) < elements([b.type.shape[like]!])) throw new RangeError("too short");
    return sliceLike(a, from, b, like);
  },
  pad: (a, _, choice) => pad(a, { axis: axisOf(a, choice), before: choice % 2, behind: 1, value: 0.3 }),
  concat: (a, b, choice) => concat([a, b, a], axisOf(a, choice)),
  gather: (a, _, choice) => {
    const axis = axisOf(a, choice);
    if (elements([a.type.shape[axis] ?? 0]) < 2) throw new RangeError("too short");
    return gather(a, constant(Int32Array.of(1, 0, 1), [3]), axis);
  },
  unstack: (a, _, choice) => {
    const [first, ...others] = unstack(a, axisOf(a, choice));
    return others.reduce((sum, part, i) => sub(sum, mul(part, i + 0.5)), first!);
  },
};

export const opNames: readonly string[] = Object.keys(builders);

export const recipes = fc.array(
  fc.record({
    op: fc.constantFrom(...opNames),
    first: fc.nat(30),
    second: fc.nat(30),
    choice: fc.nat(11),
  }),
  { minLength: 1, maxLength: 14 },
);

export interface RandomGraph {
  readonly leaves: readonly Node[];
  /** A scalar that depends on the last values, unevenly on their elements. */
  readonly loss: Node;
  /** Ops that fitted their operands. */
  readonly used: readonly string[];
}

/** The graph of a recipe, made anew each time. Ops that do not fit are left out. */
export function graphOf(recipe: readonly Instruction[], dataType: DataType = "float64"): RandomGraph {
  const leaves = [
    parameter("w", [2, 3], dataType),
    parameter("v", [3], dataType),
    parameter("s", [], dataType),
    input("x", ["batch", 3], dataType),
    input("z", ["batch", "sequence", 2], dataType),
  ];
  const values = [...leaves];
  const used: string[] = [];
  for (const { op, first, second, choice } of recipe) {
    // Mostly the latest values, so that graphs grow deep and not only wide.
    const [a, b] = [values.at(-1 - (first % values.length))!, values.at(-1 - (second % values.length))!];
    const made = attempt(() => builders[op]!(a, b, choice));
    if (!made || elements(made.type.shape) > mostElements) continue;
    values.push(made);
    used.push(op);
  }
  const seen = values.slice(-3);
  const scored = seen.map((value) => reduceMean(mul(tanh(value), add(value, 0.4))));
  return { leaves, loss: scored.reduce((sum, score) => add(sum, score), number(0, seen[0]!)), used };
}

function attempt(build: () => Node): Node | undefined {
  try {
    return build();
  } catch (error) {
    if (error instanceof ShapeError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
