/** A text classifier by what a bidirectional LSTM remembers at its two ends. */
import type { Node } from "../graph.ts";
import { embedding, linear } from "../layers/basic.ts";
import { dropout } from "../layers/dropout.ts";
import { lstm } from "../layers/recurrent.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import type { EncoderInputs } from "./encoder.ts";
import type { TrainingContext } from "./trainingContext.ts";

export interface LstmClassifierConfig {
  readonly vocabulary: number;
  /** Width of a word's vector. */
  readonly width: number;
  /** Width of the state in each direction. */
  readonly hidden: number;
  /** Default 1. */
  readonly layers?: number;
  readonly labels: number;
}

/**
 * Logits float32 [batch, labels] of ids int32 [batch, length], the length known; padding changes nothing. Weights:
 * embeddings.weight, lstm.*, classifier.*.
 */
export function lstmClassifier(
  scope: WeightScope,
  { input_ids, attention_mask }: EncoderInputs,
  { vocabulary, width, hidden, layers = 1, labels }: LstmClassifierConfig,
  training: TrainingContext = {},
): Node {
  const words = embedding(scope.scope("embeddings"), input_ids, vocabulary, width);
  const { last } = lstm(scope.scope("lstm"), words, { hidden, layers, bidirectional: true, mask: attention_mask });
  return linear(scope.scope("classifier"), dropout(last, "last", training.dropout), 2 * hidden, labels);
}
