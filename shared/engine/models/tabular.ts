/** Models of tables: a perceptron over normalised numbers and an embedding of each category, and a sum over columns. */
import { input, type Node } from "../graph.ts";
import { embedding, linear } from "../layers/basic.ts";
import { batchNorm } from "../layers/batchNorm.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { add } from "../ops/elementwise.ts";
import { concat, reshape, slice } from "../ops/layout.ts";
import { matmul } from "../ops/matmul.ts";
import type { TrainingContext } from "./trainingContext.ts";

export interface TabularConfig {
  /** How many numeric columns. */
  readonly numbers: number;
  /** For each categorical column how many values it has; 0 may stand for "unknown". */
  readonly categories: readonly number[];
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
  readonly outputs: number;
}

export interface TabularInputs {
  /** float32 [batch, numbers]. */
  readonly numbers: Node;
  /** int32 [batch, categorical columns]; or float32 [batch, values] of each column, the share of each of its values. */
  readonly categories: Node | readonly Node[];
}

export function tabularInputs({ numbers, categories }: TabularConfig): TabularInputs {
  return {
    numbers: input("numbers", ["batch", numbers]),
    categories: input("categories", ["batch", categories.length], "int32"),
  };
}

/** Outputs float32 [batch, outputs]. Weights: norm.*, embeddings.N.weight, layers.N.*, output.*. */
export function tabularModel(
  scope: WeightScope,
  inputs: TabularInputs,
  config: TabularConfig,
  { buffers, dropout: noise }: TrainingContext = {},
): Node {
  const numbers = config.numbers > 0 ? [batchNorm(scope.scope("norm"), inputs.numbers, { training: buffers })] : [];
  let x = concat([...numbers, ...columns(scope.scope("embeddings"), inputs, config, embeddingWidth)], 1);
  for (const [i, width] of config.hidden.entries()) {
    x = hiddenLayer(scope.scope(`layers.${i}`), x, width, noise);
  }
  return linear(scope.scope("output"), x, x.type.shape[1] as number, config.outputs);
}

/**
 * A generalised additive model (Hastie and Tibshirani 1986): logits are a bias and what each column adds, numbers in
 * proportion and categories by a row of a table. Outputs as `tabularModel`. Weights: numbers.*, columns.N.weight, bias.
 */
export function additiveModel(scope: WeightScope, inputs: TabularInputs, config: TabularConfig): Node {
  const added = columns(scope.scope("columns"), inputs, config, () => config.outputs);
  const numbers = () => linear(scope.scope("numbers"), inputs.numbers, config.numbers, config.outputs, { bias: false });
  const all = config.numbers > 0 ? [numbers(), ...added] : added;
  return all.reduce((sum, part) => add(sum, part), scope.get("bias", [config.outputs]));
}

/** What each categorical column is looked up as, float32 [batch, width]. Weights: N.weight. */
function columns(
  scope: WeightScope,
  { categories }: TabularInputs,
  config: TabularConfig,
  widthOf: (values: number) => number,
): Node[] {
  return config.categories.map((values, i) => {
    const own = scope.scope(`${i}`);
    if (!("op" in categories)) return matmul(categories[i]!, own.get("weight", [values, widthOf(values)]));
    const ids = reshape(slice(categories, { axis: 1, start: i, end: i + 1 }), [categories.type.shape[0]!]);
    return embedding(own, ids, values, widthOf(values));
  });
}

/** fast.ai's rule of thumb: enough for many values, little for few. */
export function embeddingWidth(values: number): number {
  return Math.min(50, Math.ceil((values + 1) / 2));
}

function hiddenLayer(scope: WeightScope, x: Node, width: number, noise: Dropout | undefined): Node {
  return dropout(relu(linear(scope, x, x.type.shape[1] as number, width)), scope.path, noise);
}
