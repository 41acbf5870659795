/**
 * GPT-2; weight names and structure as in transformers' GPT2LMHeadModel.
 * Reference: https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/gpt2/modeling_gpt2.py
 */
import type { Node } from "../graph.ts";
import { type ActivationName, activations } from "../layers/activation.ts";
import { attention, type Projections } from "../layers/attention.ts";
import { embedding, layerNorm, linearInputsFirst } from "../layers/basic.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import { causalMask, paddingMask } from "../layers/masks.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { add } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { slice, sliceLike } from "../ops/layout.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import type { CheckpointConfig } from "../weights/checkpointConfig.ts";
import { classify, lastToken, spanLogits, textVector } from "./heads.ts";
import type { LanguageModel, TextInputs } from "./languageModel.ts";

export interface Gpt2Config {
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
  readonly activation: ActivationName;
  readonly normEpsilon: number;
}

interface LayerContext {
  readonly attend: (projections: Projections) => Node;
  readonly noise: Dropout | undefined;
}

export function gpt2(config: Gpt2Config): LanguageModel {
  const { hidden, vocabulary } = config;
  return {
    prefix: "transformer",
    hidden,
    layers: config.layers,
    vocabulary,
    maxPositions: config.maxPositions,
    states: (scope, inputs, noise) => decoder(scope.scope("transformer"), inputs, config, noise),
    heads: {
      sequence: (call) => classify(call, "score", lastToken(call), { bias: false }),
      token: (call) => classify(call, "classifier", call.states),
      span: spanLogits,
      similarity: textVector,
      // The output layer is the token table.
      causal: ({ scope, states }) =>
        matmul(states, swapLast(scope.get("transformer.wte.weight", [vocabulary, hidden]))),
    },
    // One product gives queries, keys and values.
    queryAndValue: ["c_attn"],
    memory: headLayout(config),
    // Causal masks, saved by older versions of transformers, and the tied output layer.
    buffers: /\.attn\.(bias|masked_bias)$|^lm_head\.weight$/,
  };
}

function decoder(scope: WeightScope, inputs: TextInputs, config: Gpt2Config, noise?: Dropout): Node {
  const { hidden, vocabulary, maxPositions, normEpsilon } = config;
  const { input_ids: ids, memory } = inputs;
  const table = scope.get("wpe.weight", [maxPositions, hidden]);
  const positions = memory ? gather(table, memory.positions) : sliceLike(table, 0, ids, 1);
  const mask = add(causalMask(ids), paddingMask(inputs.attention_mask));
  const layout = headLayout(config);
  const attend = (projections: Projections) =>
    memory ? memory.attend(projections, layout) : attention(projections, layout, { mask });
  const context = { attend, noise };
  const tokens = embedding(scope.scope("wte"), ids, vocabulary, hidden);
  let x = dropout(add(tokens, positions), scope.path, noise);
  for (let i = 0; i < config.layers; i++) x = block(scope.scope(`h.${i}`), x, config, context);
  return layerNorm(scope.scope("ln_f"), x, hidden, normEpsilon);
}

const headLayout = ({ hidden, heads }: Gpt2Config) => ({ heads, keyValueHeads: heads, headWidth: hidden / heads });

function block(scope: WeightScope, x: Node, config: Gpt2Config, context: LayerContext): Node {
  const norm = (name: string, input: Node) => layerNorm(scope.scope(name), input, config.hidden, config.normEpsilon);
  const attended = add(x, selfAttention(scope.scope("attn"), norm("ln_1", x), config, context));
  return add(attended, feedForward(scope.scope("mlp"), norm("ln_2", attended), config, context));
}

function selfAttention(scope: WeightScope, x: Node, config: Gpt2Config, { attend, noise }: LayerContext): Node {
  const { hidden } = config;
  const fused = linearInputsFirst(scope.scope("c_attn"), x, hidden, 3 * hidden);
  const part = (i: number) => slice(fused, { axis: -1, start: i * hidden, end: (i + 1) * hidden });
  const mixed = attend({ query: part(0), key: part(1), value: part(2) });
  return dropout(linearInputsFirst(scope.scope("c_proj"), mixed, hidden, hidden), scope.path, noise);
}

function feedForward(scope: WeightScope, x: Node, config: Gpt2Config, { noise }: LayerContext): Node {
  const { hidden, intermediate } = config;
  const inner = activations[config.activation](linearInputsFirst(scope.scope("c_fc"), x, hidden, intermediate));
  return dropout(linearInputsFirst(scope.scope("c_proj"), inner, intermediate, hidden), scope.path, noise);
}

/** A gpt2 configuration as transformers writes it. Throws CheckpointError naming the field. */
export function readGpt2(config: CheckpointConfig): Gpt2Config {
  config.supportOnly("scale_attn_weights", true);
  config.supportOnly("scale_attn_by_inverse_layer_idx", false);
  config.supportOnly("add_cross_attention", false);
  config.supportOnly("tie_word_embeddings", true);
  const hidden = config.count("n_embd");
  const heads = config.count("n_head");
  config.requireMultiple("n_embd", hidden, "n_head", heads);
  return {
    hidden,
    heads,
    intermediate: config.count("n_inner", 4 * hidden),
    layers: config.layers("n_layer"),
    vocabulary: config.count("vocab_size"),
    maxPositions: config.count("n_positions"),
    activation: config.choice("activation_function", activations, "gelu_new"),
    normEpsilon: config.number("layer_norm_epsilon", 1e-5),
  };
}
