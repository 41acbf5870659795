/** A convolutional text classifier (Kim 2014): windows of words, the strongest answer of each filter, a linear layer. */
import type { Node } from "../graph.ts";
import { embedding, linear } from "../layers/basic.ts";
import { convolution } from "../layers/convolution.ts";
import { dropout } from "../layers/dropout.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { mul } from "../ops/elementwise.ts";
import { concat, transpose, unsqueeze } from "../ops/layout.ts";
import { cast } from "../ops/logic.ts";
import { globalMaxPool } from "../ops/pooling.ts";
import type { EncoderInputs } from "./encoder.ts";
import type { TrainingContext } from "./trainingContext.ts";

export interface TextCnnConfig {
  readonly vocabulary: number;
  /** Width of a word's vector. */
  readonly width: number;
  /** Sizes of the windows, each odd, so that a window has a middle. */
  readonly kernels: readonly number[];
  /** Filters per size of window. */
  readonly filters: number;
  readonly labels: number;
}

/** Logits float32 [batch, labels]; padding changes nothing. Weights: embeddings.weight, convs.N.*, classifier.*. */
export function textCnn(
  scope: WeightScope,
  { input_ids, attention_mask }: EncoderInputs,
  { vocabulary, width, kernels, filters, labels }: TextCnnConfig,
  training: TrainingContext = {},
): Node {
  const even = kernels.find((kernel) => kernel % 2 === 0);
  if (even !== undefined) throw new RangeError(`a window of ${even} words has no middle`);
  const seen = unsqueeze(cast(attention_mask, "float32"), [1]);
  const words = embedding(scope.scope("embeddings"), input_ids, vocabulary, width);
  const x = mul(transpose(words, [0, 2, 1]), seen);
  const strongest = kernels.map((kernel, i) => {
    const options = { outputs: filters, kernel, padding: (kernel - 1) / 2 };
    // After the rectifier nothing is below the zeros that stand for windows around padding.
    return globalMaxPool(mul(relu(convolution(scope.scope(`convs.${i}`), x, options)), seen));
  });
  const features = dropout(concat(strongest, 1), "features", training.dropout);
  return linear(scope.scope("classifier"), features, filters * kernels.length, labels);
}
