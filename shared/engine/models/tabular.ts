/** A multi-layer perceptron for tables: normalised numbers beside an embedding of each category. */
import { input, type Node } from "../graph.ts";
import { embedding, linear } from "../layers/basic.ts";
import { batchNorm } from "../layers/batchNorm.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { concat, reshape, slice } from "../ops/layout.ts";
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
  /** int32 [batch, categorical columns]. */
  readonly categories: Node;
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
  const numbers = batchNorm(scope.scope("norm"), inputs.numbers, { training: buffers });
  let x = concat([numbers, ...columns(scope.scope("embeddings"), inputs.categories, config)], 1);
  for (const [i, width] of config.hidden.entries()) {
    x = hiddenLayer(scope.scope(`layers.${i}`), x, width, noise);
  }
  return linear(scope.scope("output"), x, x.type.shape[1] as number, config.outputs);
}

function columns(scope: WeightScope, categories: Node, config: TabularConfig): Node[] {
  return config.categories.map((values, i) => {
    const ids = reshape(slice(categories, { axis: 1, start: i, end: i + 1 }), [categories.type.shape[0]!]);
    return embedding(scope.scope(`${i}`), ids, values, embeddingWidth(values));
  });
}

/** fast.ai's rule of thumb: enough for many values, little for few. */
export function embeddingWidth(values: number): number {
  return Math.min(50, Math.ceil((values + 1) / 2));
}

function hiddenLayer(scope: WeightScope, x: Node, width: number, noise: Dropout | undefined): Node {
  return dropout(relu(linear(scope, x, x.type.shape[1] as number, width)), scope.path, noise);
}
