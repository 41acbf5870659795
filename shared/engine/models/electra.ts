/**
 * ELECTRA's generator (Clark et al. 2020): BERT whose token vectors may be narrower than its states, and no pooler;
 * weight names and structure as in transformers.
 * Reference: https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/electra/modeling_electra.py
 */
import type { Node } from "../graph.ts";
import { activations } from "../layers/activation.ts";
import { layerNorm, linear } from "../layers/basic.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import { paddingMask } from "../layers/masks.ts";
import { bertNames, transformerLayer } from "../layers/transformer.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { gelu } from "../ops/activations.ts";
import { add } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { slice, sliceLike } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import type { CheckpointConfig } from "../weights/checkpointConfig.ts";
import type { BertConfig } from "./bert.ts";
import { readBert } from "./bertConfig.ts";
import { classify, firstToken, spanLogits, textVector } from "./heads.ts";
import type { HeadCall, LanguageModel, TextInputs } from "./languageModel.ts";

export interface ElectraConfig extends BertConfig {
  /** Width of token, position and segment vectors. */
  readonly embedding: number;
}

const prefix = "electra";
const tableName = `${prefix}.embeddings.word_embeddings.weight`;

/** A token's padding must not be seen; sequences longer than the position table fail the run. */
export function electra(config: ElectraConfig): LanguageModel {
  return {
    prefix,
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxPositions: config.positionRows,
    states: (scope, inputs, noise) => encoder(scope.scope(prefix), inputs, config, noise),
    heads: {
      sequence: (call) => classify(call, "classifier.out_proj", vectorOf(call, config.hidden)),
      token: (call) => classify(call, "classifier", call.states),
      span: spanLogits,
      similarity: textVector,
      ...(config.tied && { masked: (call: HeadCall) => maskedLogits(call, config) }),
    },
    queryAndValue: [bertNames.query, bertNames.value],
    buffers: /\.embeddings\.position_ids$|^generator_lm_head\.weight$/,
    besides: /^generator_predictions\.|^generator_lm_head\.|^discriminator_predictions\./,
  };
}

/** The first token's states through one dense layer, [batch, hidden]. */
function vectorOf({ scope, states }: HeadCall, hidden: number): Node {
  return gelu(linear(scope.scope("classifier.dense"), firstToken(states), hidden, hidden));
}

/**
 * What a state says of the token that was hidden there, [..., hidden] to [..., embedding]: its product with a token's
 * vector, and that token's bias (`generator_lm_head.bias`), is the token's logit. Weights: `generator_predictions`.*.
 */
export function electraPrediction(scope: WeightScope, states: Node, config: ElectraConfig): Node {
  const { hidden, embedding, normEpsilon } = config;
  const predictions = scope.scope("generator_predictions");
  const inner = gelu(linear(predictions.scope("dense"), states, hidden, embedding));
  return layerNorm(predictions.scope("LayerNorm"), inner, embedding, normEpsilon);
}

function maskedLogits({ scope, states }: HeadCall, config: ElectraConfig): Node {
  const { vocabulary, embedding } = config;
  const table = scope.get(tableName, [vocabulary, embedding]);
  const logits = matmul(electraPrediction(scope, states, config), swapLast(table));
  return add(logits, scope.get("generator_lm_head.bias", [vocabulary]));
}

function encoder(scope: WeightScope, inputs: TextInputs, config: ElectraConfig, noise?: Dropout): Node {
  const { hidden, embedding, layers } = config;
  const context = { mask: paddingMask(inputs.attention_mask), dropout: noise };
  const shape = { ...config, activation: activations[config.activation] };
  let x = embeddings(scope.scope("embeddings"), inputs, config, noise);
  if (embedding !== hidden) x = linear(scope.scope("embeddings_project"), x, embedding, hidden);
  for (let i = 0; i < layers; i++) x = transformerLayer(scope.scope(`encoder.layer.${i}`), x, shape, context);
  return x;
}

function embeddings(scope: WeightScope, inputs: TextInputs, config: ElectraConfig, noise?: Dropout): Node {
  const { embedding, vocabulary, positionRows, tokenTypes, normEpsilon } = config;
  const table = (name: string, rows: number) => scope.get(`${name}.weight`, [rows, embedding]);
  const positions = sliceLike(table("position_embeddings", positionRows), 0, inputs.input_ids, 1);
  const words = add(gather(table("word_embeddings", vocabulary), inputs.input_ids), positions);
  const segments = table("token_type_embeddings", tokenTypes);
  const { token_type_ids: types } = inputs;
  const x = add(words, types ? gather(segments, types) : slice(segments, { axis: 0, end: 1 }));
  return dropout(layerNorm(scope.scope("LayerNorm"), x, embedding, normEpsilon), scope.path, noise);
}

/** An electra configuration as transformers writes it. Throws CheckpointError naming the field. */
export function readElectra(config: CheckpointConfig): ElectraConfig {
  const bert = readBert(config);
  return { ...bert, embedding: config.count("embedding_size", 128) };
}
