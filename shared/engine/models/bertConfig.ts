/** The BERT family's configurations as transformers writes them. */
import { activations } from "../layers/activation.ts";
import type { CheckpointConfig } from "../weights/checkpointConfig.ts";
import type { BertConfig } from "./bert.ts";

/** For bert and roberta. Throws CheckpointError naming the field. */
export function readBert(config: CheckpointConfig): BertConfig {
  config.supportOnly("position_embedding_type", "absolute");
  config.supportOnly("is_decoder", false);
  config.supportOnly("add_cross_attention", false);
  const [hidden, heads] = [config.count("hidden_size"), config.count("num_attention_heads")];
  config.requireMultiple("hidden_size", hidden, "num_attention_heads", heads);
  return {
    hidden,
    heads,
    intermediate: config.count("intermediate_size"),
    layers: config.layers("num_hidden_layers"),
    vocabulary: config.count("vocab_size"),
    positionRows: config.count("max_position_embeddings"),
    tokenTypes: config.count("type_vocab_size", 2),
    activation: config.choice("hidden_act", activations, "gelu"),
    normEpsilon: config.number("layer_norm_eps", 1e-12),
    tied: config.flag("tie_word_embeddings", true),
  };
}

/** For roberta, whose position table begins behind the padding token's row. */
export function readRoberta(config: CheckpointConfig): BertConfig {
  config.supportOnly("pad_token_id", 1);
  return readBert(config);
}

export function readDistilBert(config: CheckpointConfig): BertConfig {
  const [hidden, heads] = [config.count("dim"), config.count("n_heads")];
  config.requireMultiple("dim", hidden, "n_heads", heads);
  return {
    hidden,
    heads,
    intermediate: config.count("hidden_dim"),
    layers: config.layers("n_layers"),
    vocabulary: config.count("vocab_size"),
    positionRows: config.count("max_position_embeddings"),
    tokenTypes: 0,
    activation: config.choice("activation", activations, "gelu"),
    normEpsilon: 1e-12,
    tied: config.flag("tie_word_embeddings", true),
  };
}
