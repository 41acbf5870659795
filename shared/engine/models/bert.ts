/**
 * The BERT family: bert, roberta and distilbert; weight names and structure as in transformers.
 * Reference: https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/bert/modeling_bert.py,
 * .../models/roberta/modeling_roberta.py and .../models/distilbert/modeling_distilbert.py
 */
import type { Node } from "../graph.ts";
import { type ActivationName, activations } from "../layers/activation.ts";
import { layerNorm, linear } from "../layers/basic.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import { paddingMask } from "../layers/masks.ts";
import { bertNames, type LayerNames, transformerLayer } from "../layers/transformer.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu, tanh } from "../ops/activations.ts";
import { add } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { slice, sliceLike } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { classify, firstToken, spanLogits, textVector } from "./heads.ts";
import type { HeadCall, LanguageModel, TextInputs } from "./languageModel.ts";

export interface BertConfig {
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** Rows of the position table. */
  readonly positionRows: number;
  /** Rows of the segment table; 0 for no such table. */
  readonly tokenTypes: number;
  readonly activation: ActivationName;
  readonly normEpsilon: number;
  /** Whether the output layer for hidden tokens is the token table. */
  readonly tied: boolean;
}

/** In what a member of the family differs. */
interface Member {
  readonly prefix: string;
  /** Path of layer N, less the number. */
  readonly layers: string;
  readonly names?: LayerNames;
  /** Row of the position table for the first token. */
  readonly firstPosition: number;
  readonly sequence: (call: HeadCall, hidden: number) => Node;
  readonly masked: MaskedNames;
}

/** Modules of the head for hidden tokens. */
interface MaskedNames {
  readonly dense: string;
  readonly norm: string;
  /** Of the output layer, whose weight is the token table. */
  readonly bias: string;
  /** Where it is not the model's own. */
  readonly activation?: ActivationName;
}

const distilNames: LayerNames = {
  query: "attention.q_lin",
  key: "attention.k_lin",
  value: "attention.v_lin",
  attended: "attention.out_lin",
  attendedNorm: "sa_layer_norm",
  inner: "ffn.lin1",
  outer: "ffn.lin2",
  outerNorm: "output_layer_norm",
};

const positionIds = /\.embeddings\.position_ids$/;
// The output layer is the token table, and its bias is stored a second time by some versions of transformers.
const tiedBuffers = new RegExp(
  `${positionIds.source}|^(cls\\.predictions|lm_head)\\.decoder\\.(weight|bias)$|^vocab_projector\\.weight$`,
);

export type BertMember = "bert" | "roberta" | "distilbert";

const members: Record<BertMember, Member> = {
  bert: {
    prefix: "bert",
    layers: "encoder.layer",
    firstPosition: 0,
    sequence: (call, hidden) => classify(call, "classifier", vectorOf(call, "bert.pooler.dense", hidden, tanh)),
    masked: {
      dense: "cls.predictions.transform.dense",
      norm: "cls.predictions.transform.LayerNorm",
      bias: "cls.predictions.bias",
    },
  },
  roberta: {
    prefix: "roberta",
    layers: "encoder.layer",
    // Row 0 is not used and row 1 is padding's, as fairseq numbered them.
    firstPosition: 2,
    sequence: (call, hidden) => classify(call, "classifier.out_proj", vectorOf(call, "classifier.dense", hidden, tanh)),
    masked: { dense: "lm_head.dense", norm: "lm_head.layer_norm", bias: "lm_head.bias", activation: "gelu" },
  },
  distilbert: {
    prefix: "distilbert",
    layers: "transformer.layer",
    names: distilNames,
    firstPosition: 0,
    sequence: (call, hidden) => classify(call, "classifier", vectorOf(call, "pre_classifier", hidden, relu)),
    masked: { dense: "vocab_transform", norm: "vocab_layer_norm", bias: "vocab_projector.bias" },
  },
};

/** The first token's states through one dense layer, [batch, hidden]. */
function vectorOf({ scope, states }: HeadCall, module: string, hidden: number, activation: (x: Node) => Node): Node {
  return activation(linear(scope.scope(module), firstToken(states), hidden, hidden));
}

/** Logits of each token, [batch, sequence, vocabulary], by how like a transform of its state is to each token's vector. */
function maskedLogits({ scope, states }: HeadCall, config: BertConfig, { prefix, masked }: Member): Node {
  const { hidden, vocabulary, normEpsilon } = config;
  const activation = activations[masked.activation ?? config.activation];
  const inner = activation(linear(scope.scope(masked.dense), states, hidden, hidden));
  const transformed = layerNorm(scope.scope(masked.norm), inner, hidden, normEpsilon);
  const table = scope.get(`${prefix}.embeddings.word_embeddings.weight`, [vocabulary, hidden]);
  return add(matmul(transformed, swapLast(table)), scope.get(masked.bias, [vocabulary]));
}

/** A token's padding must not be seen; sequences longer than the position table fail the run. */
export function bert(config: BertConfig, member: BertMember = "bert"): LanguageModel {
  const { prefix, firstPosition, sequence } = members[member];
  return {
    prefix,
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxPositions: config.positionRows - firstPosition,
    states: (scope, inputs, noise) => encoder(scope.scope(prefix), inputs, { config, member: members[member] }, noise),
    heads: {
      sequence: (call) => sequence(call, config.hidden),
      token: (call) => classify(call, "classifier", call.states),
      span: spanLogits,
      similarity: textVector,
      ...(config.tied && { masked: (call: HeadCall) => maskedLogits(call, config, members[member]) }),
    },
    queryAndValue: queryAndValueOf(members[member]),
    buffers: config.tied ? tiedBuffers : positionIds,
    besides: /^bert\.pooler\.|^cls\.seq_relationship\./,
    // The first checkpoints, bert-base-uncased among them, keep TensorFlow's names.
    rename: (name) =>
      name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias"),
  };
}

function queryAndValueOf({ names = bertNames }: Member): string[] {
  return [names.query, names.value];
}

interface Architecture {
  readonly config: BertConfig;
  readonly member: Member;
}

function encoder(scope: WeightScope, inputs: TextInputs, { config, member }: Architecture, noise?: Dropout): Node {
  const context = { mask: paddingMask(inputs.attention_mask), dropout: noise };
  const shape = { ...config, activation: activations[config.activation], ...(member.names && { names: member.names }) };
  let x = embeddings(scope.scope("embeddings"), inputs, { config, member }, noise);
  for (let i = 0; i < config.layers; i++) {
    x = transformerLayer(scope.scope(`${member.layers}.${i}`), x, shape, context);
  }
  return x;
}

function embeddings(scope: WeightScope, inputs: TextInputs, { config, member }: Architecture, noise?: Dropout): Node {
  const { hidden, vocabulary, positionRows, tokenTypes, normEpsilon } = config;
  const table = (name: string, rows: number) => scope.get(`${name}.weight`, [rows, hidden]);
  const rows = table("position_embeddings", positionRows);
  const offset = slice(rows, { axis: 0, start: member.firstPosition, end: positionRows });
  let x = add(
    gather(table("word_embeddings", vocabulary), inputs.input_ids),
    sliceLike(offset, 0, inputs.input_ids, 1),
  );
  if (tokenTypes > 0) x = add(x, segments(table("token_type_embeddings", tokenTypes), inputs));
  return dropout(layerNorm(scope.scope("LayerNorm"), x, hidden, normEpsilon), scope.path, noise);
}

function segments(table: Node, { token_type_ids }: TextInputs): Node {
  return token_type_ids ? gather(table, token_type_ids) : slice(table, { axis: 0, end: 1 });
}
