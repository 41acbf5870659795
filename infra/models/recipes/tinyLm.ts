/** `millrace-tiny-lm` before it learns, and the conversations and stories it learns from. */
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { initialize, WeightScope, writeSafetensors } from "../../../shared/engine/index.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { llama, readLlama } from "../../../shared/engine/models/llama.ts";
import { buildModel } from "../../../shared/engine/models/pretrained.ts";
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { trainBytePairs } from "../../../shared/engine/tokenizers/trainBytePairs.ts";
import { writeTokenizer } from "../../../shared/engine/tokenizers/trained.ts";
import { CheckpointConfig } from "../../../shared/engine/weights/checkpointConfig.ts";
import { tensorsOf } from "../../../shared/engine/weights/tensors.ts";
import { corpusFiles } from "./corpora.ts";
import type { Place } from "./english.ts";

const [end, user, assistant, system] = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>"];
const seed = 22;

// Each role's token, its words, and an end that is also the end of what the model writes.
const chatTemplate =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|endoftext|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

export async function tinyLmStart(directory: string, place: Place): Promise<void> {
  const texts = readDocuments(
    corpusFiles("spoken", place.shared).map(({ path, share = 1 }) => ({ path, share: share / 3 })),
  );
  const trained = await trainBytePairs(texts, { size: 4096, specialTokens: [end, user, assistant, system] });
  const config = {
    ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", vocab_size: 4096, tie_word_embeddings: true },
    ...{
      hidden_size: 192,
      intermediate_size: 512,
      num_hidden_layers: 4,
      num_attention_heads: 6,
      num_key_value_heads: 3,
    },
    ...{ max_position_embeddings: 512, rms_norm_eps: 1e-5, rope_theta: 10_000, hidden_act: "silu" },
    ...{ bos_token_id: null, eos_token_id: 0, pad_token_id: 0 },
  };
  const model = llama(readLlama(new CheckpointConfig(config)));
  const { scope } = buildModel(model, { head: "causal" }, { inputs: textInputs(), scope: new WeightScope() });
  const weights = tensorsOf(scope.parameters, initialize(scope.parameters, seed, 0.04));
  const unfinished = `${directory}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await writeFile(join(unfinished, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: end,
    pad_token: end,
    chat_template: chatTemplate,
  };
  await writeTokenizer(unfinished, { ...trained, config: { ...trained.config, ...settings } });
  await writeFile(join(unfinished, "model.safetensors"), writeSafetensors(weights, { format: "pt" }));
  await rename(unfinished, directory);
}

/** Dialogues as the chat template writes them, and other texts, each with its end; the file appears whole. */
export async function writeConversations(path: string, { shared }: Place): Promise<void> {
  async function* lines() {
    for await (const text of readDocuments(corpusFiles("spoken", shared))) {
      yield `${JSON.stringify({ text: `${text}${end}` })}\n`;
    }
    for await (const dialogue of readDocuments(corpusFiles("conversations", shared))) {
      const turns = dialogue.split("\n").filter((turn) => turn.trim() !== "");
      yield `${JSON.stringify({ text: turns.map((turn, i) => `${i % 2 ? assistant : user}${turn}${end}`).join("") })}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
