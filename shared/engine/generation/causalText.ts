/** What a causal checkpoint says of its texts: everything about it but its weights. */
import { modelOf } from "../models/families.ts";
import type { LanguageModel } from "../models/languageModel.ts";
import { readTokenizer, type Tokenizer } from "../tokenizers/tokenizer.ts";
import { CheckpointConfig } from "../weights/checkpointConfig.ts";
import { isObject, parseJsonObject, readIfPresent, readJsonObject } from "../weights/checkpointFiles.ts";
import { tokenBytes } from "./cache.ts";

export interface CausalText {
  readonly tokenizer: Tokenizer;
  /** How many tokens the model has. */
  readonly vocabulary: number;
  /** The most tokens of a prompt and its answer together. */
  readonly context: number;
  /** Tokens that end a text. */
  readonly endTokens: readonly number[];
  /** How a conversation becomes a prompt, in Jinja; undefined where the checkpoint does not say. */
  readonly chatTemplate: string | undefined;
  /** Tokens by what they are for, such as `bos_token`: what templates ask for. */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Throws TypeError for a model that is not causal, CheckpointError naming the file at fault. */
export async function readCausalText(directory: string): Promise<CausalText> {
  const config = await readJsonObject(directory, "config.json");
  const model = modelOf(new CheckpointConfig(config));
  const { tokens: context } = textRoom(model);
  const tokenizer = await readTokenizer(directory);
  const settings = await readOptional(directory, "tokenizer_config.json");
  const specialTokens = namedTokens(settings);
  const named = [...Object.entries(specialTokens)].filter(([name]) => name === "eos_token");
  const ends = [
    ...numbersOf(config.eos_token_id),
    ...numbersOf((await readOptional(directory, "generation_config.json")).eos_token_id),
    ...named.flatMap(([, token]) => numbersOf(tokenizer.idOf(token))),
    ...(await scoredEnds(directory)),
  ];
  return {
    tokenizer,
    vocabulary: model.vocabulary,
    context,
    endTokens: [...new Set(ends)].filter((id) => id < model.vocabulary),
    chatTemplate: templateOf(settings) ?? (await readIfPresent(directory, "chat_template.jinja"))?.toString(),
    specialTokens,
  };
}

const leastCache = 2 ** 28;
const largestCache = 2 ** 30;
/** So many texts of all positions have room beside each other, where a cache may be so large; memory is taken as they grow. */
const textsAtOnce = 4;

/**
 * How many tokens a text may have, and how many bytes its generator's cache: room for a few texts of all positions, within
 * 256 MiB and 1 GiB. Throws TypeError for a model that is not causal.
 */
export function textRoom({ memory, layers, maxPositions, prefix }: LanguageModel): { tokens: number; bytes: number } {
  if (!memory) throw new TypeError(`a model of module "${prefix}" does not predict next tokens`);
  const each = tokenBytes(layers, memory);
  const bytes = Math.min(Math.max(leastCache, textsAtOnce * each * maxPositions), largestCache);
  return { bytes, tokens: Math.min(maxPositions, Math.floor(bytes / each)) };
}

async function readOptional(directory: string, file: string): Promise<Record<string, unknown>> {
  const bytes = await readIfPresent(directory, file);
  return bytes ? parseJsonObject(bytes, file) : {};
}

const numbersOf = (ids: unknown): number[] => [ids].flat().filter((id) => Number.isInteger(id)) as number[];

/** A token is written as itself, or as an object that says how it is matched. */
function namedTokens(settings: Record<string, unknown>): Record<string, string> {
  const text = (token: unknown) => (isObject(token) ? token.content : token);
  const found = Object.entries(settings).map(([name, token]) => [name, text(token)] as const);
  return Object.fromEntries(
    found.filter(([name, token]) => name.endsWith("_token") && typeof token === "string"),
  ) as Record<string, string>;
}

/** Some checkpoints have several templates by name. */
function templateOf({ chat_template: template }: Record<string, unknown>): string | undefined {
  if (!Array.isArray(template)) return typeof template === "string" ? template : undefined;
  return (template as { name: string; template: string }[]).find(({ name }) => name === "default")?.template;
}

/** llama2.c's tokenizer says it itself, and there a text also ends where the next one begins. */
async function scoredEnds(directory: string): Promise<number[]> {
  const { vocab, bos, eos } = await readOptional(directory, "tokenizer.json");
  return Array.isArray(vocab) ? numbersOf([bos, eos]) : [];
}
