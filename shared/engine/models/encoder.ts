/** A BERT-style text encoder with a classification head; weight names and structure as in transformers' BertModel. */
import { input, type Node } from "../graph.ts";
import { layerNorm, linear } from "../layers/basic.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import { type TransformerConfig, transformerLayer } from "../layers/transformer.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { add, div, max, mul, sub } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { reshape, slice, sliceLike, unsqueeze } from "../ops/layout.ts";
import { cast } from "../ops/logic.ts";
import { reduceSum } from "../ops/reductions.ts";

export interface EncoderConfig extends TransformerConfig {
  readonly layers: number;
  /** Rows of the token table. */
  readonly vocabulary: number;
  /** The longest sequence. A longer one fails the run. */
  readonly maxPositions: number;
  /**
   * Rows of the segment table, of which row 0 is added to every token, as BERT does for one text; 0 (default) for no
   * such table.
   */
  readonly tokenTypes?: number;
}

/** The shape of `millrace-encoder-tiny`, less its vocabulary. */
export const tinyEncoder = { layers: 2, hidden: 128, heads: 4, intermediate: 512, maxPositions: 128 } as const;

export interface EncoderInputs {
  /** int32 [batch, sequence]. */
  readonly input_ids: Node;
  /** int32 [batch, sequence]: 1 for a token, 0 for padding. */
  readonly attention_mask: Node;
}

/** Inputs with symbolic batch and sequence, so that one session serves every length. */
export function encoderInputs(): EncoderInputs {
  const shape = ["batch", "sequence"];
  return { input_ids: input("input_ids", shape, "int32"), attention_mask: input("attention_mask", shape, "int32") };
}

/** The last hidden states, float32 [batch, sequence, hidden]. Weights: embeddings.*, encoder.layer.N.*. */
export function encoder(scope: WeightScope, inputs: EncoderInputs, config: EncoderConfig, noise?: Dropout): Node {
  const seen = cast(inputs.attention_mask, "float32");
  const [batch, sequence] = seen.type.shape;
  const mask = reshape(mul(sub(1, seen), -1e9), [batch!, 1, 1, sequence!]);
  let x = embeddings(scope.scope("embeddings"), inputs.input_ids, config, noise);
  for (let i = 0; i < config.layers; i++) {
    x = transformerLayer(scope.scope(`encoder.layer.${i}`), x, config, { mask, dropout: noise });
  }
  return x;
}

function embeddings(scope: WeightScope, ids: Node, config: EncoderConfig, noise?: Dropout): Node {
  const { hidden, vocabulary, maxPositions, tokenTypes = 0 } = config;
  const table = (name: string, rows: number) => scope.get(`${name}.weight`, [rows, hidden]);
  const positions = sliceLike(table("position_embeddings", maxPositions), 0, ids, 1);
  let x = add(gather(table("word_embeddings", vocabulary), ids), positions);
  if (tokenTypes > 0) x = add(x, slice(table("token_type_embeddings", tokenTypes), { axis: 0, end: 1 }));
  return dropout(layerNorm(scope.scope("LayerNorm"), x, hidden), scope.path, noise);
}

/**
 * The mean of the states at unmasked positions: [batch, sequence, hidden] to [batch, hidden]. A row with none gives
 * zeros.
 */
export function meanPooling(states: Node, attentionMask: Node): Node {
  const weights = unsqueeze(cast(attentionMask, "float32"), [2]);
  return div(reduceSum(mul(states, weights), { axes: [1] }), max(reduceSum(weights, { axes: [1] }), 1));
}

/** Logits float32 [batch, labels] from the pooled states. Weights: the encoder's and classifier.*. */
export function classifier(
  scope: WeightScope,
  inputs: EncoderInputs,
  config: EncoderConfig & { readonly labels: number },
  noise?: Dropout,
): Node {
  const pooled = meanPooling(encoder(scope, inputs, config, noise), inputs.attention_mask);
  return linear(scope.scope("classifier"), dropout(pooled, "classifier", noise), config.hidden, config.labels);
}
