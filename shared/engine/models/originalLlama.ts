/**
 * Llama in the form its authors publish: their configuration fields, tensor names and pairing of rotary features.
 * Reference: https://github.com/meta-llama/llama/blob/main/llama/model.py, whose form llama2.c keeps:
 * https://github.com/karpathy/llama2.c/blob/master/model.py
 */
import type { CheckpointConfig } from "../weights/checkpointConfig.ts";
import type { LanguageModel } from "./languageModel.ts";
import { checkRotary, type LlamaConfig, llama } from "./llama.ts";

/** Throws CheckpointError naming the field. */
export function readOriginalLlama(config: CheckpointConfig): LlamaConfig {
  const hidden = config.count("dim");
  const heads = config.count("n_heads");
  const keyValueHeads = config.count("n_kv_heads", heads);
  config.requireMultiple("dim", hidden, "n_heads", heads);
  config.requireMultiple("n_heads", heads, "n_kv_heads", keyValueHeads);
  const maxPositions = config.count("max_seq_len");
  checkRotary(config, hidden / heads, maxPositions);
  return {
    hidden,
    heads,
    keyValueHeads,
    headWidth: hidden / heads,
    intermediate: config.count("hidden_dim"),
    layers: config.layers("n_layers"),
    vocabulary: config.count("vocab_size"),
    maxPositions,
    activation: "silu",
    normEpsilon: config.number("norm_eps", 1e-5),
    ropeTheta: config.positive("rope_theta", 10_000),
    pairing: "interleaved",
    tied: config.flag("tie_word_embeddings", true),
    attentionBias: "none",
    feedForwardBias: false,
  };
}

const modules: Readonly<Record<string, string>> = {
  tok_embeddings: "embed_tokens",
  attention_norm: "input_layernorm",
  ffn_norm: "post_attention_layernorm",
  attention: "self_attn",
  wq: "q_proj",
  wk: "k_proj",
  wv: "v_proj",
  wo: "o_proj",
  feed_forward: "mlp",
  w1: "gate_proj",
  w2: "down_proj",
  w3: "up_proj",
};

/** `layers.0.attention.wq.weight` as `model.layers.0.self_attn.q_proj.weight`. */
function rename(name: string): string {
  if (name === "output.weight") return "lm_head.weight";
  return `model.${name
    .split(".")
    .map((part) => modules[part] ?? part)
    .join(".")}`;
}

export function originalLlama(config: LlamaConfig): LanguageModel {
  return { ...llama(config), rename, buffers: /(^|\.)(rope\.freqs|freqs_(cos|sin))$/ };
}
