/** A small corpus with something to learn in it, and very small bases to learn it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialize, writeSafetensors } from "../../../../shared/engine/index.ts";
import { modelOf } from "../../../../shared/engine/models/families.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import {
  type PretrainingEvent,
  type PretrainingRequest,
  pretrain,
} from "../../../../shared/engine/pretraining/pretrain.ts";
import { trainBytePairs } from "../../../../shared/engine/tokenizers/trainBytePairs.ts";
import { writeTokenizer } from "../../../../shared/engine/tokenizers/trained.ts";
import { trainWordPiece } from "../../../../shared/engine/tokenizers/trainWordPiece.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";
import { tensorsOf } from "../../../../shared/engine/weights/tensors.ts";

const [who, does, what] = [
  ["the cat", "a dog", "my aunt", "the king", "our teacher", "a sailor"],
  ["eats", "paints", "finds", "sells", "hides", "wants"],
  ["fish", "a boat", "the moon", "old books", "a golden ring", "nothing"],
];

/** Documents of four sentences; what follows what is not left to chance. */
export function documents(count: number): string[] {
  const sentence = (i: number) => `${who![i % 6]} ${does![(i * 5 + 1) % 6]} ${what![(i * 3 + 2) % 6]} on day ${i}.`;
  return Array.from({ length: count }, (_, i) => [i, i + 7, 3 * i, 5 * i + 1].map((n) => sentence(n % 97)).join(" "));
}

const shape = {
  hidden_size: 16,
  num_attention_heads: 2,
  intermediate_size: 32,
  num_hidden_layers: 1,
  max_position_embeddings: 40,
};

const kinds = {
  electra: {
    config: { ...shape, model_type: "electra", embedding_size: 8, type_vocab_size: 2 },
    train: (texts: string[]) => trainWordPiece(texts, { size: 640 }),
  },
  llama: {
    config: { ...shape, model_type: "llama", num_key_value_heads: 1, tie_word_embeddings: true },
    train: (texts: string[]) => trainBytePairs(texts, { size: 320 }),
  },
};

export type TinyKind = keyof typeof kinds;

/** A directory with a base of random weights and a corpus, for as long as `use` takes. */
export async function withTinyBase<T>(
  kind: TinyKind,
  use: (place: { base: string; texts: string; directory: string }) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-pretraining-"));
  try {
    const corpus = documents(120);
    const texts = join(directory, "texts.jsonl");
    await writeFile(texts, corpus.map((text) => JSON.stringify({ text })).join("\n"));
    const tokenizer = await kinds[kind].train(corpus);
    await writeTokenizer(directory, tokenizer);
    const { vocab } = (tokenizer.tokenizer as { model: { vocab: object } }).model;
    const config = { ...kinds[kind].config, vocab_size: Object.keys(vocab).length };
    await writeFile(join(directory, "config.json"), JSON.stringify(config));
    const model = modelOf(new CheckpointConfig(config));
    const { parameters } = buildModel(model, { head: "similarity" }, { inputs: textInputs() }).scope;
    const weights = tensorsOf(parameters, initialize(parameters, 3, 0.1));
    await writeFile(join(directory, "model.safetensors"), writeSafetensors(weights));
    return await use({ base: directory, texts, directory: join(directory, "work") });
  } finally {
    await rm(directory, { recursive: true });
  }
}

export const quickRequest = {
  contrastive: false,
  hyperparameters: { n_epochs: 2, batch_size: 4 },
  settings: { longest: 40, tokenRate: 5e-3, contrastiveRate: 1e-3, candidates: 10_000, pairsPerStep: 8 },
  seed: 5,
  threads: 1,
  checkpoint: null,
  checkpointSteps: 0,
  checkpointSeconds: 1e6,
} satisfies Partial<PretrainingRequest>;

/** All that happens; aborted once it has taken so many steps. */
export async function events(
  request: PretrainingRequest,
  steps = Number.POSITIVE_INFINITY,
): Promise<PretrainingEvent[]> {
  const abort = new AbortController();
  const found: PretrainingEvent[] = [];
  for await (const event of pretrain(request, abort.signal)) {
    found.push(event);
    if (event.type === "step" && event.record.step === steps) abort.abort();
  }
  return found;
}

export function finished(all: readonly PretrainingEvent[]): PretrainingEvent & { type: "finished" } {
  const last = all.at(-1);
  if (last?.type !== "finished") throw new Error(`it ended with ${last?.type}`);
  return last;
}
