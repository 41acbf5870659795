/** Which files of a Hugging Face folder make a base model, and whether the engine can make one of them. */

import { readCausalText } from "../../shared/engine/generation/causalText.ts";
import { modelOf } from "../../shared/engine/models/families.ts";
import { type HeadName, type LanguageModel, textInputs } from "../../shared/engine/models/languageModel.ts";
import { buildModel, isHeadWeight, readPretrained, weightsFor } from "../../shared/engine/models/pretrained.ts";
import { shortened } from "../../shared/engine/shortened.ts";
import { readTokenizer, type Tokenizer } from "../../shared/engine/tokenizers/tokenizer.ts";
import { CheckpointConfig } from "../../shared/engine/weights/checkpointConfig.ts";
import {
  isObject,
  parseJsonObject,
  readIfPresent,
  readJsonObject,
} from "../../shared/engine/weights/checkpointFiles.ts";
import { chatPrompts } from "../../shared/serving/chatPrompt.ts";
import { Refusal } from "./refusal.ts";

const index = "model.safetensors.index.json";

/** What says what the model is; the first of each that is there. */
const descriptions = [["config.json"], ["tokenizer.json", "vocab.txt"]];
/** What says more, where it is there: of the tokenizer, of the tokens that end an answer, of how a conversation is written. */
const settings = ["tokenizer_config.json", "generation_config.json", "chat_template.jinja"];
const whole = ["model.safetensors", index];

/** The files that describe the model, of all that its folder holds. */
export function descriptionFiles(names: readonly string[]): string[] {
  const found = settings.filter((name) => names.includes(name));
  return [...descriptions.map((choices) => oneOf(choices, names)), ...found];
}

/** `model.safetensors`, or the index of its shards. */
export function weightsEntry(names: readonly string[]): string {
  return oneOf(whole, names);
}

/** The shards that the index in the directory lists; none where the weights are one file. */
export async function shardFiles(directory: string, entry: string, names: readonly string[]): Promise<string[]> {
  if (entry !== index) return [];
  const { weight_map: map } = parseJsonObject((await readIfPresent(directory, index))!, index);
  const shards = [...new Set(isObject(map) ? Object.values(map) : [])] as string[];
  if (shards.length === 0) throw new Refusal(`${index} lists no file in its "weight_map".`);
  // Names of the folder itself: what an index calls a file could lead anywhere.
  const lost = shards.find((shard) => !names.includes(shard));
  if (lost !== undefined) throw new Refusal(`${JSON.stringify(lost)} is missing, though ${index} lists it.`);
  return shards.sort();
}

function oneOf(choices: readonly string[], names: readonly string[]): string {
  const found = choices.find((choice) => names.includes(choice));
  if (found === undefined) throw new Refusal(`The folder has no ${choices.join(" and no ")}.`);
  return found;
}

/** Architecture and tokenizer, which need no weights. Throws CheckpointError, or Refusal, naming what is at fault. */
export async function checkDescription(directory: string): Promise<void> {
  const model = modelOf(new CheckpointConfig(await readJsonObject(directory, "config.json")));
  tryTokenizer(await readTokenizer(directory));
  const largest = await largestToken(directory);
  if (largest >= model.vocabulary) {
    // A text that holds it would read beyond the table of token vectors.
    const tokens = `only ${model.vocabulary} tokens`;
    throw new Refusal(`The tokenizer has a token ${largest}, and the model in config.json ${tokens}.`);
  }
  if (model.memory) await tryConversation(directory);
}

/** Some files are read without a word and fail at the first text. */
function tryTokenizer(tokenizer: Tokenizer): void {
  for (const text of ["A text.", "Ünï 文\n\t🦀\u0000", ""]) {
    const ids = ask("The tokenizer fails at a text", () => tokenizer.encode(text).input_ids);
    const at = ids.findIndex((id) => !Number.isSafeInteger(id) || id < 0);
    if (at >= 0) throw new Refusal(`The tokenizer gives a token ${ids[at]}, which is no id.`);
    ask("The tokenizer fails at its own tokens", () => tokenizer.decode(ids));
  }
}

/** A template that cannot be read would only be found out by whoever talks to the model. */
async function tryConversation(directory: string): Promise<void> {
  const text = await readCausalText(directory);
  ask("The chat template cannot be used", () => chatPrompts(text));
}

function ask<T>(title: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new Refusal(`${title}: ${shortened(cause instanceof Error ? cause.message : String(cause))}.`, { cause });
  }
}

/** The largest id that a tokenizer which `readTokenizer` accepts may give. */
async function largestToken(directory: string): Promise<number> {
  const json = await readIfPresent(directory, "tokenizer.json");
  if (!json) return (await readIfPresent(directory, "vocab.txt"))!.toString().trimEnd().split("\n").length - 1;
  const content = parseJsonObject(json, "tokenizer.json");
  const vocabulary = isObject(content.model) ? content.model.vocab : content.vocab;
  const added = (content.added_tokens ?? []) as { id: number }[];
  const ids = Array.isArray(vocabulary) ? [vocabulary.length - 1] : (Object.values(vocabulary ?? {}) as number[]);
  return [...ids, ...added.map(({ id }) => id)].reduce((most, id) => Math.max(most, id), -1);
}

/** Every tensor of the weights. Throws CheckpointError, SafetensorsError or Refusal naming what is at fault. */
export async function checkWeights(directory: string): Promise<void> {
  const pretrained = await readPretrained(directory);
  const { model, weights } = pretrained;
  // A head of its own weights is left behind by every use of a base; this one has none, so the body alone is compared.
  const { scope } = buildModel(model, { head: "similarity" }, { inputs: textInputs() });
  weightsFor(pretrained, scope.parameters, { seed: 0 });
  const known = headWeights(model);
  const unknown = [...weights.keys()].filter((name) => isHeadWeight(model, name) && !known(name));
  if (unknown.length === 0) return;
  const named = unknown.slice(0, 5).map((name) => `"${name}"`);
  throw new Refusal(`The weights hold what is no part of the model: ${named.join(", ")}.`);
}

/** Whether a tensor is one of a head that the family has. */
function headWeights(model: LanguageModel): (name: string) => boolean {
  const names = (Object.keys(model.heads) as HeadName[]).flatMap((head) => {
    return buildModel(model, { head }, { inputs: textInputs() }).scope.parameters.map(({ name }) => name!);
  });
  const known = new Set(names);
  return (name) => known.has(name) || name.startsWith(`${model.prefix}.`) || (model.besides?.test(name) ?? false);
}
