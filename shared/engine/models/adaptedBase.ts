/** An imported base, kept as it is, with a LoRA adapter and a head of its own: how text classification adapts it. */
import type { Node } from "../graph.ts";
import { linear } from "../layers/basic.ts";
import { initialize } from "../layers/initialize.ts";
import { initializeLora, type Lora, type LoraConfig, withLora } from "../layers/lora.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { readTokenizer, type Tokenizer } from "../tokenizers/tokenizer.ts";
import { CheckpointConfig } from "../weights/checkpointConfig.ts";
import { readJsonObject } from "../weights/checkpointFiles.ts";
import { modelOf } from "./families.ts";
import { type LanguageModel, meanState } from "./languageModel.ts";
import { type Pretrained, weightsFor } from "./pretrained.ts";

/**
 * What is trained beside the base, queries and values as in the paper. It is kept with the model, as serving needs it
 * too. All linear layers would make a model four times as large, and a batch of many models half as slow again.
 */
export function adapterFor({ queryAndValue }: LanguageModel): LoraConfig {
  return { rank: 8, alpha: 16, dropout: 0.05, targets: queryAndValue };
}

/** Tokens read of a text, unless the base has fewer positions. */
const mostTokens = 256;

export interface TextEncoder {
  /** Ids of a text's first tokens with the base's special ones; at least one. */
  readonly encode: (text: string) => Int32Array;
  /** Ids that any text has. */
  readonly specialTokens: number;
  /** The most ids of a text. */
  readonly mostTokens: number;
  /** Rows of the token table. */
  readonly vocabulary: number;
  /** Of what form its adapters are. */
  readonly adapter: LoraConfig;
}

/** How a base reads texts, without its weights. Throws CheckpointError naming the file or field that is at fault. */
export async function openEncoder(directory: string): Promise<TextEncoder> {
  const model = modelOf(new CheckpointConfig(await readJsonObject(directory, "config.json")));
  return { ...encoderOf(await readTokenizer(directory), model), adapter: adapterFor(model) };
}

function encoderOf(tokenizer: Tokenizer, { maxPositions, vocabulary }: LanguageModel) {
  const most = Math.min(mostTokens, maxPositions);
  // Of a text of nothing only the special tokens are left: one before it, the others behind.
  const empty = tokenizer.encode("").input_ids;
  const behind = Math.max(0, empty.length - 1);
  const cut = (ids: readonly number[]) =>
    ids.length <= most ? ids : [...ids.slice(0, most - behind), ...ids.slice(ids.length - behind)];
  return {
    specialTokens: empty.length,
    mostTokens: most,
    vocabulary,
    encode(text: string) {
      const ids = cut(tokenizer.encode(text.toWellFormed()).input_ids);
      return Int32Array.from(ids.length ? ids : [0]);
    },
  };
}

export interface ClassifierGraph {
  /** float32 [batch, classes]. */
  readonly logits: Node;
  /** Of the head, which is trained whole. */
  readonly head: readonly Node[];
  /** Of the base. */
  readonly body: readonly Node[];
}

export interface AdaptedGraph extends ClassifierGraph {
  readonly lora: Lora;
}

/**
 * The base with its adapter, and a linear head over the mean of a text's states (`classifier`), whatever head the family
 * has of its own: it is small, and the base's text vectors are what it reads. With `seed` as training needs it, with dropout.
 */
export function adaptedGraph({ model }: Pretrained, classes: number, config: LoraConfig, seed?: Node): AdaptedGraph {
  const lora = withLora(new WeightScope(), config, { body: model.prefix, seed });
  const graph = classifierOver(lora.scope, model, classes);
  lora.requireTargets();
  return { ...graph, lora };
}

/** The base without an adapter, and the head as above. */
export function wholeGraph({ model }: Pretrained, classes: number): ClassifierGraph {
  return classifierOver(new WeightScope(), model, classes);
}

function classifierOver(scope: WeightScope, model: LanguageModel, classes: number): ClassifierGraph {
  const vector = meanState(model, scope);
  const head = new WeightScope();
  const logits = linear(head.scope("classifier"), vector, model.hidden, classes);
  return { logits, head: head.parameters, body: scope.parameters };
}

type Data = Readonly<Record<string, Float32Array>>;

/** The base's own weights. Throws CheckpointError as `weightsFor`. */
export function frozenData(pretrained: Pretrained, { body }: ClassifierGraph): Data {
  // Whatever head the checkpoint has is left behind.
  return weightsFor(pretrained, body, { seed: 0 });
}

/** First values of a new adapter and head. */
export function firstData({ lora, head }: AdaptedGraph, seed: number): Data {
  return { ...initializeLora(lora, seed), ...initialize(head, seed) };
}
