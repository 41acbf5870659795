/** The base models anyone may fine-tune, and which architecture of the engine each one is. */
import type { ImportedRecord } from "./schemas/base.ts";
import type { Model } from "./schemas/model.ts";
import type { Bases } from "./stores/bases.ts";

/** `pretrained`: a checkpoint that an operator imported. */
export type Architecture = "ngram" | "encoder" | "tabular" | "pretrained";

/** What comes with Millrace: trained from nothing, so it has no files. */
export interface BaseModel extends Model {
  architecture: Exclude<Architecture, "pretrained">;
}

const base = (id: string, architecture: BaseModel["architecture"]): BaseModel => ({
  id,
  object: "model",
  created: 1795305600,
  owned_by: "millrace",
  architecture,
});

export const baseModels: readonly BaseModel[] = [
  base("millrace-ngram", "ngram"),
  base("millrace-encoder-tiny", "encoder"),
  base("millrace-tabular", "tabular"),
];

/** One of those that come with Millrace. */
export function findBaseModel(id: string): BaseModel | undefined {
  return baseModels.find((model) => model.id === id);
}

/** Whether a base model, and any model tuned from it, reads rows of tables; the others read texts. */
export function readsTables(baseId: string): boolean {
  return findBaseModel(baseId)?.architecture === "tabular";
}

/** A base model of the deployment: one that comes with Millrace, or one that was imported. */
export async function lookUpBase(
  bases: Pick<Bases, "get">,
  id: string,
): Promise<BaseModel | ImportedRecord | undefined> {
  return findBaseModel(id) ?? bases.get(id);
}
