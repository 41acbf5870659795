/**
 * Frozen weight matrices as int8, as a transformation of a finished graph: in the forward pass, and in the gradient of
 * a layer's input, where W itself is rounded anew by its other side. Models and gradients know nothing of it.
 */
import type { Node } from "../graph.ts";
import type { Model, ModelWithData } from "../onnx.ts";
import { mul } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { cast } from "../ops/logic.ts";
import {
  type QuantizedValues,
  quantize,
  quantizedProduct,
  quantizedVectorProduct,
  quantizeVectors,
} from "../ops/quantized.ts";
import { type Change, rewrite } from "../rewrite.ts";
import type { TrainingStep } from "../trainingStep.ts";
import { FrozenLeaves, type FrozenOperand, type Initializers, mapValues } from "./frozenLeaves.ts";
import { type Int8Form, toInt8 } from "./int8Matrix.ts";

export interface Int8Options {
  /** Whether the weight of that name stays float32. Default: none does. See `productErrors`. */
  readonly keep?: ((name: string) => boolean) | undefined;
  /** Whether tables that rows are read from, such as word embeddings, become int8 too. Default false. */
  readonly tables?: boolean;
  /**
   * What of the other operand shares a scale. "tensor" (default) is standard ONNX and one kernel of the runtime, in which
   * an answer depends a little on the texts beside it; "vector" is exact to the bit whatever else is in the batch, and
   * needs an operator of "com.microsoft".
   */
  readonly scaleOf?: keyof typeof roundings;
}

interface Rounding {
  quantize(x: Node): QuantizedValues;
  product(x: QuantizedValues, weight: Node, scales: Node): Node;
}

const roundings = {
  tensor: { quantize, product: quantizedProduct },
  vector: { quantize: quantizeVectors, product: quantizedVectorProduct },
} satisfies Record<string, Rounding>;

/** A model with its frozen matrices as int8; frozen is what it has data for. Its initializers are what the result asks for. */
export function int8Model({ outputs, initializers = {} }: Model, options?: Int8Options): ModelWithData {
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

function int8Graph(outputs: Readonly<Record<string, Node>>, initializers: Initializers, options?: Int8Options) {
  const roots = Object.values(outputs);
  const leaves = new FrozenLeaves(initializers);
  const became = rewrite(roots, int8Change(leaves, options));
  const now = (node: Node) => became.get(node)!;
  return { now, data: leaves.dataFor(roots.map(now)) };
}

function int8Change(leaves: FrozenLeaves, options: Int8Options = {}): Change {
  const { keep = () => false, tables = false, scaleOf = "tensor" } = options;
  const rounding = roundings[scaleOf];
  // What several matrices multiply (a layer's input, by query, key and value) is rounded once.
  const rounded = new Map<Node, QuantizedValues>();
  const quantizedOnce = (x: Node) => {
    if (!rounded.has(x)) rounded.set(x, rounding.quantize(x));
    return rounded.get(x)!;
  };
  const readRows = int8Tables(leaves, keep);
  return (node, inputs) => {
    if (node.op !== "MatMul") return tables ? readRows(node, inputs) : undefined;
    const [first, second] = inputs as [Node, Node];
    const found = leaves.operand(second);
    if (!found || keep(found.weight.name!)) return undefined;
    return int8Product(quantizedOnce(first), found, leaves, rounding);
  };
}

/** Rows read from a frozen table, from its int8 form. */
export function int8Tables(leaves: FrozenLeaves, keep: (name: string) => boolean = () => false): Change {
  return ({ op, attributes }, inputs) => {
    const [table, ids] = inputs as [Node, Node];
    const isRead = op === "Gather" && attributes.axis === 0 && leaves.has(table) && !keep(table.name!);
    if (!isRead) return undefined;
    const { values, scales } = int8Form(leaves, table, { per: "row", turned: false });
    return mul(cast(gather(values, ids), "float32"), gather(scales, ids));
  };
}

export function int8Product(
  x: QuantizedValues,
  { weight, isTransposed }: FrozenOperand,
  leaves: FrozenLeaves,
  { product }: Rounding = roundings.tensor,
): Node {
  // Each column of what is multiplied by has its scale: of a transpose, each row of what is stored.
  const { values, scales } = int8Form(leaves, weight, { per: isTransposed ? "row" : "column", turned: isTransposed });
  return product(x, values, scales);
}

function int8Form(leaves: FrozenLeaves, weight: Node, form: Int8Form) {
  const { per, turned } = form;
  return leaves.form(weight, turned ? "int8" : `int8:${per}`, (matrix, [rows, columns]) => {
    const { values, scales } = toInt8(matrix, [rows, columns], form);
    // Scales of rows that stay rows multiply from the left.
    const beside = per === "row" && !turned ? [rows, 1] : [scales.length];
    return {
      values: { shape: turned ? [columns, rows] : [rows, columns], data: values },
      scales: { shape: beside, data: scales },
    };
  });
}
