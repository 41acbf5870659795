/** Configurations of very small models as transformers would write them, and checkpoints with random weights. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialize, type StoredTensor, type Tensor, writeSafetensors } from "../../../../shared/engine/index.ts";
import { modelOf } from "../../../../shared/engine/models/families.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel, type HeadRequest } from "../../../../shared/engine/models/pretrained.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";
import { tensor } from "../run.ts";

const llama3Scaling = {
  rope_type: "llama3",
  rope_theta: 100,
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 64,
};

const bertShape = {
  hidden_size: 16,
  num_attention_heads: 2,
  intermediate_size: 24,
  num_hidden_layers: 2,
  vocab_size: 40,
  max_position_embeddings: 14,
};

export const tinyConfigs = {
  bert: { ...bertShape, model_type: "bert", type_vocab_size: 2 },
  roberta: { ...bertShape, model_type: "roberta", type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1 },
  distilbert: {
    model_type: "distilbert",
    dim: 16,
    n_heads: 2,
    hidden_dim: 24,
    n_layers: 2,
    vocab_size: 40,
    max_position_embeddings: 12,
  },
  gpt2: { model_type: "gpt2", n_embd: 16, n_head: 2, n_layer: 2, vocab_size: 40, n_positions: 12 },
  llama: { ...bertShape, model_type: "llama", num_key_value_heads: 1, rms_norm_eps: 1e-5, tie_word_embeddings: false },
  llama3: {
    ...bertShape,
    model_type: "llama",
    num_key_value_heads: 1,
    rms_norm_eps: 1e-5,
    rope_parameters: llama3Scaling,
  },
  qwen2: {
    ...bertShape,
    model_type: "qwen2",
    num_key_value_heads: 1,
    rms_norm_eps: 1e-5,
    rope_theta: 1e6,
    tie_word_embeddings: true,
  },
} as const;

export type TinyName = keyof typeof tinyConfigs;

export const tinyModel = (name: TinyName) => modelOf(new CheckpointConfig(tinyConfigs[name]));

/** A model with a head, and random weights for it. */
export function tinyBuilt(name: TinyName, request: HeadRequest) {
  const model = tinyModel(name);
  const built = buildModel(model, request, { inputs: textInputs() });
  const data = initialize(built.scope.parameters, 11, 0.3);
  const weights: Record<string, Tensor> = Object.fromEntries(
    built.scope.parameters.map((node) => [node.name!, tensor(node.type.shape as number[], data[node.name!]!)]),
  );
  return { model, ...built, weights };
}

/** Some texts of tokens 2 to 39, the second one shorter than the first. */
export const tinyFeeds: Record<string, Tensor> = {
  input_ids: tensor([2, 5], Int32Array.of(5, 9, 31, 2, 17, 8, 25, 3, 0, 0)),
  attention_mask: tensor([2, 5], Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0)),
};

/** A directory of files, objects as JSON and tensors as safetensors, for as long as `use` takes. */
export async function withDirectory<T>(
  files: Readonly<Record<string, object | string>>,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-checkpoint-"));
  try {
    for (const [file, content] of Object.entries(files))
      await writeFile(join(directory, file), serialize(file, content));
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function serialize(file: string, content: object | string): Uint8Array | string {
  if (typeof content === "string") return content;
  if (file.endsWith(".safetensors")) return writeSafetensors(content as Record<string, StoredTensor>);
  return JSON.stringify(content);
}
