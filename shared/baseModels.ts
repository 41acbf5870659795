/** The base models anyone may fine-tune, and which architecture of the engine each one is. */
import type { Model } from "./schemas/model.ts";

/** `pretrained`: a checkpoint that an operator imported. */
export type Architecture = "ngram" | "encoder" | "pretrained";

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
];

export function findBaseModel(id: string): BaseModel | undefined {
  return baseModels.find((model) => model.id === id);
}
