/** A BERT too small to know anything, as a folder that transformers would read: for whoever imports or tunes a base. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { initialize, writeSafetensors } from "../../shared/engine/index.ts";
import { modelOf } from "../../shared/engine/models/families.ts";
import { textInputs } from "../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../shared/engine/models/pretrained.ts";
import { CheckpointConfig } from "../../shared/engine/weights/checkpointConfig.ts";

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/** Writes config.json, model.safetensors and vocab.txt, whose words are those of the texts. */
export async function writeTinyBase(directory: string, texts: readonly string[], seed = 3): Promise<void> {
  const words = new Set(texts.flatMap((text) => text.toLowerCase().match(/\w+|[^\w\s]/g) ?? []));
  const vocabulary = [...special, ...words];
  const config = {
    model_type: "bert",
    hidden_size: 32,
    num_attention_heads: 2,
    intermediate_size: 64,
    num_hidden_layers: 2,
    vocab_size: vocabulary.length,
    max_position_embeddings: 64,
    type_vocab_size: 2,
  };
  const model = modelOf(new CheckpointConfig(config));
  const { scope } = buildModel(model, { head: "sequence", labels: 2 }, { inputs: textInputs() });
  const body = scope.parameters.filter(({ name }) => name!.startsWith("bert."));
  const data = initialize(body, seed, 0.3);
  const tensors = body.map(({ name, type }) => [name!, { shape: type.shape as number[], data: data[name!]! }] as const);
  await Promise.all([
    writeFile(join(directory, "config.json"), JSON.stringify(config)),
    writeFile(join(directory, "vocab.txt"), `${vocabulary.join("\n")}\n`),
    writeFile(join(directory, "model.safetensors"), writeSafetensors(Object.fromEntries(tensors))),
  ]);
}
