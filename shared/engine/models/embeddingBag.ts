/** A bag of words (Joulin et al. 2017, fastText): the mean of a text's word vectors and a linear layer. */
import type { Node } from "../graph.ts";
import { embedding, linear } from "../layers/basic.ts";
import { dropout } from "../layers/dropout.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { type EncoderInputs, meanPooling } from "./encoder.ts";
import type { TrainingContext } from "./trainingContext.ts";

export interface EmbeddingBagConfig {
  /** Words, or numbers of hashed n-grams. */
  readonly vocabulary: number;
  /** Width of a word's vector. */
  readonly width: number;
  readonly labels: number;
}

/**
 * Logits float32 [batch, labels]; neither order nor padding matters, and a text without words has the vector 0. Weights:
 * embeddings.weight, classifier.*.
 */
export function embeddingBag(
  scope: WeightScope,
  { input_ids, attention_mask }: EncoderInputs,
  { vocabulary, width, labels }: EmbeddingBagConfig,
  training: TrainingContext = {},
): Node {
  const words = embedding(scope.scope("embeddings"), input_ids, vocabulary, width);
  const bag = dropout(meanPooling(words, attention_mask), "bag", training.dropout);
  return linear(scope.scope("classifier"), bag, width, labels);
}
