/** The base models anyone may fine-tune, and which architecture of the engine each one is. */
import type { ImportedRecord } from "./schemas/base.ts";
import type { Model } from "./schemas/model.ts";
import type { Bases } from "./stores/bases.ts";

/** `pretrained`: a checkpoint that an operator imported. `auto`: whichever of several does best on the rows given. */
export type Architecture = "ngram" | "encoder" | "tabular" | "auto" | "pretrained";

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
  base("millrace-auto", "auto"),
];

/** The bases that `millrace-auto` starts from where a deployment has them, by what they read best. */
const starterBases = { others: "millrace-embed-en", ideographs: "millrace-embed-zh" } as const;

/** From this share of letters on, texts are read as Chinese. */
const ideographShare = 0.2;

/** Names of starter bases, the one that suits the texts first. */
export function starterBasesFor(texts: readonly string[]): string[] {
  const count = (pattern: RegExp) => texts.reduce((sum, text) => sum + (text.match(pattern)?.length ?? 0), 0);
  const { others, ideographs } = starterBases;
  const isChinese = count(/\p{Script=Han}/gu) > ideographShare * count(/\p{L}/gu);
  return isChinese ? [ideographs, others] : [others, ideographs];
}

/** One of those that come with Millrace. */
export function findBaseModel(id: string): BaseModel | undefined {
  return baseModels.find((model) => model.id === id);
}

/** The deployment's base behind a model of a project's own, `ft:<base>:…`. */
export function rootOf(id: string): string {
  return id.startsWith("ft:") ? id.split(":")[1]! : id;
}

/** Of a base, or of the one behind a tuned model; what does not come with Millrace was imported. */
export function architectureOf(id: string): Architecture {
  return findBaseModel(rootOf(id))?.architecture ?? "pretrained";
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
