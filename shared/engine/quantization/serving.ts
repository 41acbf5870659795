/** What of a base is served: its graph as it is, or with frozen matrices of 8 or 4 bits. */
import type { Node } from "../graph.ts";
import type { Model, ModelWithData } from "../onnx.ts";
import { blockProduct } from "../ops/blockQuantized.ts";
import { rewrite } from "../rewrite.ts";
import { withFastGelu } from "./fastGelu.ts";
import { int8Model, int8Tables } from "./frozenInt8.ts";
import { FrozenLeaves, type FrozenOperand, mapValues } from "./frozenLeaves.ts";
import { toInt4 } from "./int4Matrix.ts";
import type { Precision } from "./precision.ts";

export type { Precision };

const variants = {
  float32: ({ initializers = {}, ...model }) => ({ ...model, initializers }),
  // Texts of many customers share a batch, and none may see the others: each token has its own scale.
  int8: (model) => forRuntime(int8Model(model, { tables: true, scaleOf: "vector" })),
  int4: int4Model,
} satisfies Record<Precision, (model: Model) => ModelWithData>;

/** A model by whose frozen matrices (those it has data for) the precision is meant; inputs and outputs stay the same. */
export function servingModel(model: Model, precision: Precision): ModelWithData {
  return variants[precision](model);
}

/** What is rounded needs ONNX Runtime's own operators, so that it is no model for others, and may have more of them. */
function forRuntime({ outputs, initializers }: ModelWithData): ModelWithData {
  const became = rewrite(Object.values(outputs), withFastGelu);
  return { outputs: mapValues(outputs, (node) => became.get(node)!), initializers, domains: ["com.microsoft"] };
}

const block = 32;

/** Frozen matrices as 4-bit values by blocks, tables as int8: for memory, not for speed. */
export function int4Model({ outputs, initializers = {} }: Model): ModelWithData {
  const leaves = new FrozenLeaves(initializers);
  const readRows = int8Tables(leaves);
  const became = rewrite(Object.values(outputs), (node, inputs) => {
    if (node.op !== "MatMul") return readRows(node, inputs);
    const [x, matrix] = inputs as [Node, Node];
    const found = leaves.operand(matrix);
    return found && blockProduct(x, int4Form(leaves, found));
  });
  const now = (node: Node) => became.get(node)!;
  return forRuntime({
    outputs: mapValues(outputs, now),
    initializers: leaves.dataFor(Object.values(outputs).map(now)),
  });
}

function int4Form(leaves: FrozenLeaves, { weight, isTransposed }: FrozenOperand) {
  const turned = isTransposed;
  return leaves.form(weight, `int4${turned ? ":turned" : ""}`, (matrix, sides) =>
    toInt4(matrix, sides, { block, turned }),
  );
}
