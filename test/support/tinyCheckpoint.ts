/** A very small BERT with random weights as Hugging Face lays it out: configuration, safetensors and a vocabulary. */
import { importBase } from "../../infra/models/importBase.ts";
import type { StoredTensor } from "../../shared/engine/index.ts";
import type { BaseRecord } from "../../shared/schemas/base.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { tinyBuilt, tinyConfigs, withDirectory } from "../shared/engine/models/tinyModels.ts";

/** Forty tokens, as many as the model has vectors for. */
const vocabulary = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  ..."abcdefghijklmnopqrstuvwxyz0123456789".slice(0, 35),
];

export interface TinyCheckpoint extends Record<string, object | string> {
  "config.json": Record<string, unknown>;
  "model.safetensors": Record<string, StoredTensor>;
  "vocab.txt": string;
}

/** Files by name, for `withDirectory`; a body with a pooler and a classifier of two classes. */
export function tinyCheckpoint(): TinyCheckpoint {
  return {
    "config.json": tinyConfigs.bert,
    "model.safetensors": tinyBuilt("bert", { head: "sequence", labels: 2 }).weights as Record<string, StoredTensor>,
    "vocab.txt": `${vocabulary.join("\n")}\n`,
  };
}

/** An imported base of any content: some bytes under file names. */
export async function addBase(stores: Stores, id: string, content: Record<string, string>): Promise<BaseRecord> {
  const { record } = await withDirectory(content, (directory) =>
    importBase(stores, { id, directory, files: Object.keys(content), replace: false }),
  );
  return record;
}
