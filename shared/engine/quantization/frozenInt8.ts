/**
 * Frozen weight matrices as int8, as a transformation of a finished graph: in the forward pass, and in the gradient of
 * a layer's input, where W itself is rounded anew by its other side. Models and gradients know nothing of it, and what
 * comes out is standard ONNX.
 */
import type { TypedArray } from "../dataTypes.ts";
import { type Node, parameter } from "../graph.ts";
import { collectLeaves, type Model } from "../onnx.ts";
import { mul } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { cast } from "../ops/logic.ts";
import { type QuantizedValues, quantize, quantizedProduct } from "../ops/quantized.ts";
import { type Change, rewrite } from "../rewrite.ts";
import type { TrainingStep } from "../trainingStep.ts";
import { type Int8Form, toInt8 } from "./int8Matrix.ts";

export type Initializers = Readonly<Record<string, TypedArray>>;

export interface Int8Options {
  /** Whether the weight of that name stays float32. Default: none does. See `productErrors`. */
  readonly keep?: ((name: string) => boolean) | undefined;
  /** Whether tables that rows are read from, such as word embeddings, become int8 too. Default false. */
  readonly tables?: boolean;
}

/** A narrower side leaves too little arithmetic to pay for rounding what is multiplied. */
const leastSide = 64;

/** A model with its frozen matrices as int8; frozen is what it has data for. Its initializers are what the result asks for. */
export function int8Model({ outputs, initializers = {} }: Model, options?: Int8Options): Required<Model> {
  const { now, data } = int8Graph(outputs, initializers, options);
  return { outputs: mapValues(outputs, now), initializers: data };
}

/** A training step with the frozen matrices it is given the data of as int8, for a session or a loop. */
export function int8Step(step: TrainingStep, initializers: Initializers, options?: Int8Options) {
  const { now, data } = int8Graph(step.outputs, initializers, options);
  const changed: TrainingStep = {
    ...step,
    carried: step.carried.map((tensor) => ({ ...tensor, after: now(tensor.after) })),
    loss: now(step.loss),
    metrics: mapValues(step.metrics, now),
    outputs: mapValues(step.outputs, now),
  };
  return { step: changed, initializers: data };
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function int8Graph(outputs: Readonly<Record<string, Node>>, initializers: Initializers, options?: Int8Options) {
  const roots = Object.values(outputs);
  const leaves = new Int8Leaves(initializers);
  const became = rewrite(roots, int8Change(leaves, options));
  const now = (node: Node) => became.get(node)!;
  return { now, data: leaves.dataFor(roots.map(now)) };
}

function int8Change(leaves: Int8Leaves, { keep = () => false, tables = false }: Int8Options = {}): Change {
  // What several matrices multiply (a layer's input, by query, key and value) is rounded once.
  const rounded = new Map<Node, QuantizedValues>();
  const quantizedOnce = (x: Node) => {
    if (!rounded.has(x)) rounded.set(x, quantize(x));
    return rounded.get(x)!;
  };
  return ({ op, attributes }, inputs) => {
    const [first, second] = inputs as [Node, Node];
    if (op === "MatMul") {
      const found = frozenOperand(second, leaves);
      return found && !keep(found.weight.name!) ? int8Product(quantizedOnce(first), found, leaves) : undefined;
    }
    const isRead = tables && op === "Gather" && attributes.axis === 0 && leaves.has(first) && !keep(first.name!);
    return isRead ? int8Rows(first, second, leaves) : undefined;
  };
}

/** A frozen matrix, or its transpose, as what a product multiplies by. */
export interface FrozenOperand {
  readonly weight: Node;
  readonly isTransposed: boolean;
}

export function frozenOperand(operand: Node, leaves: Int8Leaves): FrozenOperand | undefined {
  const isTransposed = operand.op === "Transpose";
  const weight = isTransposed ? operand.inputs[0]! : operand;
  return leaves.has(weight) ? { weight, isTransposed } : undefined;
}

export function int8Product(x: QuantizedValues, { weight, isTransposed }: FrozenOperand, leaves: Int8Leaves): Node {
  // Each column of what is multiplied by has its scale: of a transpose, each row of what is stored.
  const form = { per: isTransposed ? "row" : "column", turned: isTransposed } as const;
  const { values, scales } = leaves.of(weight, form);
  return quantizedProduct(x, values, scales);
}

function int8Rows(table: Node, ids: Node, leaves: Int8Leaves): Node {
  const { values, scales } = leaves.of(table, { per: "row", turned: false });
  return mul(cast(gather(values, ids), "float32"), gather(scales, ids));
}

/** The int8 forms of frozen matrices as parameters with data, each made once. */
export class Int8Leaves {
  readonly #initializers: Initializers;
  readonly #data: Record<string, TypedArray> = {};
  readonly #made = new Map<string, { values: Node; scales: Node }>();

  constructor(initializers: Initializers) {
    this.#initializers = initializers;
  }

  /** Whether a node is a frozen matrix worth its rounding. */
  has({ op, name, type: { shape, dataType } }: Node): boolean {
    const isMatrix = op === "Parameter" && dataType === "float32" && shape.length === 2;
    return isMatrix && shape.every((side) => (side as number) >= leastSide) && Object.hasOwn(this.#initializers, name!);
  }

  of({ name, type }: Node, form: Int8Form): { values: Node; scales: Node } {
    const key = `${name}:int8${form.turned ? "" : `:${form.per}`}`;
    const found = this.#made.get(key) ?? this.#make(key, name!, type.shape as [number, number], form);
    this.#made.set(key, found);
    return found;
  }

  /** The initializers of a graph: int8 forms, and what stayed as it was. */
  dataFor(roots: readonly Node[]): Record<string, TypedArray> {
    const known = { ...this.#initializers, ...this.#data };
    const { parameters } = collectLeaves(roots);
    const stored = parameters.map(({ name }) => name!).filter((name) => Object.hasOwn(known, name));
    return Object.fromEntries(stored.map((name) => [name, known[name]!]));
  }

  #make(key: string, name: string, shape: readonly [number, number], form: Int8Form) {
    const { values, scales } = toInt8(this.#initializers[name] as Float32Array, shape, form);
    const { per, turned } = form;
    this.#data[key] = values;
    this.#data[`${key}:scales`] = scales;
    const [rows, columns] = shape;
    // Scales of rows that stay rows multiply from the left.
    const beside = per === "row" && !turned ? [rows, 1] : [scales.length];
    return {
      values: parameter(key, turned ? [columns, rows] : shape, "int8"),
      scales: parameter(`${key}:scales`, beside),
    };
  }
}
