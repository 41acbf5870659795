/** A very small BERT with random weights as Hugging Face lays it out: configuration, safetensors and a vocabulary. */
import { createHash } from "node:crypto";
import type { StoredTensor } from "../../shared/engine/index.ts";
import { type BaseRecord, baseDigest } from "../../shared/schemas/base.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
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

/** An imported base without going through the operator's tool: some bytes under file names. */
export async function addBase(stores: Stores, id: string, content: Record<string, string>): Promise<BaseRecord> {
  const hashed = Object.entries(content).map(([name, text]) => {
    return { name, digest: createHash("sha256").update(text).digest("hex") };
  });
  const digest = baseDigest(hashed);
  const files = await Promise.all(
    hashed.map(async (file) => {
      const object_key = objectKeys.base(id, digest, file.name);
      const body = withDirectory({ [file.name]: content[file.name]! }, (directory) =>
        stores.objects.putFile(object_key, `${directory}/${file.name}`),
      );
      return { ...file, object_key, bytes: (await body).bytes };
    }),
  );
  const record: BaseRecord = {
    id,
    object: "model",
    created: Math.floor(Date.now() / 1000),
    owned_by: "millrace",
    architecture: "pretrained",
    digest,
    files,
  };
  await stores.bases.create(record);
  return record;
}
