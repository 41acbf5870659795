/** The architectures whose checkpoints can be loaded, by the `model_type` of their configuration. */
import type { CheckpointConfig } from "../weights/checkpointConfig.ts";
import { bert } from "./bert.ts";
import { readBert, readDistilBert, readRoberta } from "./bertConfig.ts";
import { electra, readElectra } from "./electra.ts";
import { gpt2, readGpt2 } from "./gpt2.ts";
import type { LanguageModel } from "./languageModel.ts";
import { llama, readLlama, readQwen2 } from "./llama.ts";
import { originalLlama, readOriginalLlama } from "./originalLlama.ts";

export const families = {
  bert: (config) => bert(readBert(config)),
  distilbert: (config) => bert(readDistilBert(config), "distilbert"),
  electra: (config) => electra(readElectra(config)),
  gpt2: (config) => gpt2(readGpt2(config)),
  llama: (config) => llama(readLlama(config)),
  qwen2: (config) => llama(readQwen2(config)),
  roberta: (config) => bert(readRoberta(config), "roberta"),
} as const satisfies Record<string, (config: CheckpointConfig) => LanguageModel>;

export type FamilyName = keyof typeof families;

/** The model a configuration describes. Throws CheckpointError for one this engine has not, and naming a faulty field. */
export function modelOf(config: CheckpointConfig): LanguageModel {
  config.supportOnly("quantization_config");
  // Llama's authors name no type; their sizes have names of their own.
  if (!config.has("model_type") && config.has("dim") && config.has("n_heads")) {
    return originalLlama(readOriginalLlama(config));
  }
  return families[config.choice("model_type", families)](config);
}
