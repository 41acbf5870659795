/** How gradient cases are made: shapes, values that keep away from kinks, and one case from one function. */
import { type Node, type reduceSum, type Shape, square, type Tensor } from "../../../shared/engine/index.ts";
import { randomValues } from "./run.ts";

export interface Variant {
  /** Differentiated inputs; "batch" is bound to 2, "sequence" to 3 and "samples" to 7. */
  readonly operands: Readonly<Record<string, Shape>>;
  readonly build: (nodes: Record<string, Node>) => Node;
  /** Values of operands that must avoid a kink or a pole; others are random in [-1, 1). */
  readonly values?: Readonly<Record<string, Float32Array>> | undefined;
  /** Other sizes for symbolic dimensions. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Inputs that are not differentiated. */
  readonly feeds?: Readonly<Record<string, Tensor>>;
}

export const positive = (length: number) => randomValues(length, { low: 0.4, high: 2 });
// 0.3 apart, and none as near to 0 or to 0.5 either way as the step of the differences.
export const spread = (length: number) =>
  Float32Array.from({ length }, (_, i) => ((i * 7) % length) * 0.3 - 0.15 * length + 0.17);

export const each = (build: (x: Node) => Node, values?: (length: number) => Float32Array): Variant[] => [
  { operands: { x: [2, 3] }, build: ({ x }) => build(x!), values: values && { x: values(6) } },
  {
    operands: { x: ["batch", 2, "sequence"] },
    build: ({ x }) => build(x!),
    values: values && { x: values(12) },
  },
];

const pairs: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [1, 3],
    [2, 1],
  ],
  [[], [2, 2]],
  [["batch", "sequence", 2], [2]],
  [
    ["batch", 1, 2],
    ["batch", "sequence", 1],
  ],
];
export const size = (shape: Shape) =>
  shape.reduce<number>((total, dim) => total * (dim === "batch" ? 2 : dim === "sequence" ? 3 : Number(dim)), 1);
export const both = (
  build: (a: Node, b: Node) => Node,
  values?: (length: number, operand: number) => Float32Array,
): Variant[] =>
  pairs.map(([a, b]) => ({
    operands: { a, b },
    build: (nodes) => build(nodes.a!, nodes.b!),
    values: values && { a: values(size(a), 0), b: values(size(b), 1) },
  }));

export function reductions(reduce: typeof reduceSum, values?: (length: number) => Float32Array): Variant[] {
  const over = (x: Shape, options: Parameters<typeof reduceSum>[1]): Variant => ({
    operands: { x },
    build: ({ x: node }) => reduce(square(node!), options),
    // Squares of distinct sizes, so that a maximum is not a tie.
    values: values && { x: values(size(x)).map((value, i) => Math.abs(value) + i * 0.02) },
  });
  return [
    over([2, 3], {}),
    over([2, 3], { axes: [1] }),
    over(["batch", "sequence", 2], { axes: [0, 1], keepDims: true }),
    over(["batch", 2], { axes: [-2] }),
  ];
}
