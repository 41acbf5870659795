/** Frozen matrices of a graph, and what rounded forms of them stand in their place. */
import { dataTypeOf, type Tensor, type TypedArray } from "../dataTypes.ts";
import { type Node, parameter } from "../graph.ts";
import { collectLeaves } from "../onnx.ts";

export type Initializers = Readonly<Record<string, TypedArray>>;

/** A narrower side leaves too little arithmetic to pay for rounding what is multiplied. */
const leastSide = 64;

/** A frozen matrix, or its transpose, as what a product multiplies by. */
export interface FrozenOperand {
  readonly weight: Node;
  readonly isTransposed: boolean;
}

export type Sides = readonly [rows: number, columns: number];

/** The tensors that together stand for a row-major matrix. */
export type Former<Part extends string> = (matrix: Float32Array, sides: Sides) => Record<Part, Tensor>;

/** Rounded forms of frozen matrices as parameters with data, each made once. */
export class FrozenLeaves {
  readonly #initializers: Initializers;
  readonly #data: Record<string, TypedArray> = {};
  readonly #made = new Map<string, Readonly<Record<string, Node>>>();

  constructor(initializers: Initializers) {
    this.#initializers = initializers;
  }

  /** Whether a node is a frozen matrix worth its rounding. */
  has({ op, name, type: { shape, dataType } }: Node): boolean {
    const isMatrix = op === "Parameter" && dataType === "float32" && shape.length === 2;
    return isMatrix && shape.every((side) => (side as number) >= leastSide) && Object.hasOwn(this.#initializers, name!);
  }

  operand(operand: Node): FrozenOperand | undefined {
    const isTransposed = operand.op === "Transpose";
    const weight = isTransposed ? operand.inputs[0]! : operand;
    return this.has(weight) ? { weight, isTransposed } : undefined;
  }

  /** The parameters that together are one form of a matrix; `make` is called once for each form. */
  form<Part extends string>({ name, type }: Node, form: string, make: Former<Part>): Record<Part, Node> {
    const key = `${name}:${form}`;
    const made =
      this.#made.get(key) ?? this.#make(key, make(this.#initializers[name!] as Float32Array, type.shape as Sides));
    this.#made.set(key, made);
    return made as Record<Part, Node>;
  }

  #make(key: string, parts: Readonly<Record<string, Tensor>>): Record<string, Node> {
    return mapValues(parts, ({ shape, data }, part) => {
      this.#data[`${key}:${part}`] = data;
      return parameter(`${key}:${part}`, shape, dataTypeOf(data));
    });
  }

  /** The initializers of a graph: rounded forms, and what stayed as it was. */
  dataFor(roots: readonly Node[]): Record<string, TypedArray> {
    const known = { ...this.#initializers, ...this.#data };
    const { parameters } = collectLeaves(roots);
    const stored = parameters.map(({ name }) => name!).filter((name) => Object.hasOwn(known, name));
    return Object.fromEntries(stored.map((name) => [name, known[name]!]));
  }
}

export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}
