/**
 * The Llama family: llama (SmolLM too) and qwen2; weight names and structure as in transformers' LlamaForCausalLM.
 * Reference: https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/llama/modeling_llama.py
 * and, for its biases, .../models/qwen2/modeling_qwen2.py
 */
import type { Node } from "../graph.ts";
import { type ActivationName, activations } from "../layers/activation.ts";
import { attention, type HeadLayout, type Projections } from "../layers/attention.ts";
import { embedding, linear } from "../layers/basic.ts";
import { causalMask, paddingMask } from "../layers/masks.ts";
import { rmsNorm } from "../layers/rmsNorm.ts";
import { type Pairing, rotary } from "../layers/rotary.ts";
import type { RotaryScaling } from "../layers/rotaryFrequencies.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { add, mul } from "../ops/elementwise.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { type CheckpointConfig, CheckpointError } from "../weights/checkpointConfig.ts";
import { classify, lastToken, spanLogits, textVector } from "./heads.ts";
import type { HeadCall, LanguageModel, TextInputs } from "./languageModel.ts";

export interface LlamaConfig extends HeadLayout {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
  readonly activation: ActivationName;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  readonly ropeScaling?: RotaryScaling | undefined;
  readonly pairing: Pairing;
  /** Whether the output layer is the token table. */
  readonly tied: boolean;
  /** Where attention's projections have biases: nowhere, on query, key and value (qwen2), or on all four. */
  readonly attentionBias: "none" | "inputs" | "all";
  readonly feedForwardBias: boolean;
}

type Attend = (projections: Projections) => Node;

export function llama(config: LlamaConfig): LanguageModel {
  return {
    prefix: "model",
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxPositions: config.maxPositions,
    states: (scope, inputs) => decoder(scope.scope("model"), inputs, config),
    heads: {
      sequence: (call) => classify(call, "score", lastToken(call), { bias: false }),
      token: (call) => classify(call, "score", call.states),
      span: spanLogits,
      similarity: textVector,
      causal: (call) => nextToken(call, config),
    },
    queryAndValue: ["q_proj", "v_proj"],
    memory: { heads: config.heads, keyValueHeads: config.keyValueHeads, headWidth: config.headWidth },
    buffers: /\.rotary_emb\.inv_freq$/,
  };
}

function decoder(scope: WeightScope, inputs: TextInputs, config: LlamaConfig): Node {
  const { hidden, normEpsilon, headWidth: width, maxPositions, ropeTheta: theta, ropeScaling: scaling } = config;
  const { input_ids: ids, memory } = inputs;
  const turns = rotary(ids, { width, maxPositions, theta, scaling, pairing: config.pairing }, memory?.positions);
  const mask = add(causalMask(ids), paddingMask(inputs.attention_mask));
  const attend = (projections: Projections) =>
    memory ? memory.attend(projections, config, turns) : attention(projections, config, { mask, rotary: turns });
  let x = embedding(scope.scope("embed_tokens"), ids, config.vocabulary, hidden);
  for (let i = 0; i < config.layers; i++) x = layer(scope.scope(`layers.${i}`), x, config, attend);
  return rmsNorm(scope.scope("norm"), x, hidden, normEpsilon);
}

function layer(scope: WeightScope, x: Node, config: LlamaConfig, attend: Attend): Node {
  const norm = (name: string, input: Node) => rmsNorm(scope.scope(name), input, config.hidden, config.normEpsilon);
  const attended = add(x, selfAttention(scope.scope("self_attn"), norm("input_layernorm", x), config, attend));
  return add(attended, feedForward(scope.scope("mlp"), norm("post_attention_layernorm", attended), config));
}

function selfAttention(scope: WeightScope, x: Node, config: LlamaConfig, attend: Attend): Node {
  const { hidden, heads, keyValueHeads, headWidth, attentionBias } = config;
  const project = (name: string, count: number) =>
    linear(scope.scope(name), x, hidden, count * headWidth, { bias: attentionBias !== "none" });
  const projections = {
    query: project("q_proj", heads),
    key: project("k_proj", keyValueHeads),
    value: project("v_proj", keyValueHeads),
  };
  return linear(scope.scope("o_proj"), attend(projections), heads * headWidth, hidden, {
    bias: attentionBias === "all",
  });
}

/** SwiGLU (Shazeer 2020). */
function feedForward(scope: WeightScope, x: Node, config: LlamaConfig): Node {
  const { hidden, intermediate, feedForwardBias: bias } = config;
  const gate = activations[config.activation](linear(scope.scope("gate_proj"), x, hidden, intermediate, { bias }));
  const up = linear(scope.scope("up_proj"), x, hidden, intermediate, { bias });
  return linear(scope.scope("down_proj"), mul(gate, up), intermediate, hidden, { bias });
}

function nextToken({ scope, states }: HeadCall, { tied, vocabulary, hidden }: LlamaConfig): Node {
  if (!tied) return linear(scope.scope("lm_head"), states, hidden, vocabulary, { bias: false });
  return matmul(states, swapLast(scope.get("model.embed_tokens.weight", [vocabulary, hidden])));
}

/** A llama configuration as transformers writes it. Throws CheckpointError naming the field. */
export function readLlama(config: CheckpointConfig): LlamaConfig {
  config.supportOnly("pretraining_tp", 1);
  return { ...readShape(config), attentionBias: config.flag("attention_bias", false) ? "all" : "none" };
}

/** A qwen2 configuration as transformers writes it. Throws CheckpointError naming the field. */
export function readQwen2(config: CheckpointConfig): LlamaConfig {
  config.supportOnly("use_sliding_window", false);
  return { ...readShape(config), attentionBias: "inputs" };
}

function readShape(config: CheckpointConfig): Omit<LlamaConfig, "attentionBias"> {
  config.supportOnly("partial_rotary_factor", 1);
  const hidden = config.count("hidden_size");
  const heads = config.count("num_attention_heads");
  const keyValueHeads = config.count("num_key_value_heads", heads);
  if (!config.has("head_dim")) config.requireMultiple("hidden_size", hidden, "num_attention_heads", heads);
  config.requireMultiple("num_attention_heads", heads, "num_key_value_heads", keyValueHeads);
  const headWidth = config.count("head_dim", hidden / heads);
  const maxPositions = config.count("max_position_embeddings");
  checkRotary(config, headWidth, maxPositions);
  return {
    hidden,
    heads,
    keyValueHeads,
    headWidth,
    intermediate: config.count("intermediate_size"),
    layers: config.layers("num_hidden_layers"),
    vocabulary: config.count("vocab_size"),
    maxPositions,
    activation: config.choice("hidden_act", activations, "silu"),
    normEpsilon: config.number("rms_norm_eps", 1e-6),
    ...readRope(config),
    pairing: "half",
    tied: config.flag("tie_word_embeddings", false),
    feedForwardBias: config.flag("mlp_bias", false),
  };
}

/** A million positions of heads 128 wide: the tables of their turns are computed whole. */
const mostTurns = 2 ** 27;

/** Throws CheckpointError where heads are of odd width, or the tables of their turns would be beyond measure. */
export function checkRotary({ file }: CheckpointConfig, headWidth: number, maxPositions: number): void {
  if (headWidth % 2 !== 0) throw new CheckpointError(`${file}: rotary heads must be of even width, not ${headWidth}`);
  if (headWidth * maxPositions <= mostTurns) return;
  throw new CheckpointError(`${file}: ${maxPositions} positions of heads ${headWidth} wide are too many`);
}

// One object since transformers 5, two fields before.
function readRope(config: CheckpointConfig): Pick<LlamaConfig, "ropeTheta" | "ropeScaling"> {
  const joined = config.object("rope_parameters");
  const scaling = joined ?? config.object("rope_scaling");
  const ropeTheta = (joined ?? config).positive("rope_theta", 10_000);
  return { ropeTheta, ropeScaling: scaling && readScaling(scaling) };
}

const scalings: Record<"default" | "linear" | "llama3", (config: CheckpointConfig) => RotaryScaling | undefined> = {
  default: () => undefined,
  linear: (config) => ({ type: "linear", factor: config.positive("factor") }),
  llama3: (config) => ({
    type: "llama3",
    factor: config.positive("factor"),
    lowFactor: config.positive("low_freq_factor"),
    highFactor: config.positive("high_freq_factor"),
    originalPositions: config.count("original_max_position_embeddings"),
  }),
};

function readScaling(config: CheckpointConfig): RotaryScaling | undefined {
  // Older files say "type".
  return scalings[config.choice(config.has("rope_type") ? "rope_type" : "type", scalings)](config);
}
