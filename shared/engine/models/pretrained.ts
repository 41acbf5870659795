/** From a checkpoint's directory to a model with its weights, checked tensor by tensor. */
import type { Node } from "../graph.ts";
import type { Dropout } from "../layers/dropout.ts";
import { initialize } from "../layers/initialize.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { CheckpointConfig } from "../weights/checkpointConfig.ts";
import { readJsonObject, readWeights } from "../weights/checkpointFiles.ts";
import { fitWeights, type Weights } from "../weights/fit.ts";
import { modelOf } from "./families.ts";
import type { HeadName, LanguageModel, TextInputs } from "./languageModel.ts";

export interface Pretrained {
  readonly model: LanguageModel;
  /** float32, by the names this engine's scopes use. */
  readonly weights: Weights;
}

/**
 * A directory with `config.json` and weights (see `readWeights`). What the tensors must be depends on the head, so they
 * are checked by `weightsFor`. Throws CheckpointError naming the file or field at fault.
 */
export async function readPretrained(directory: string): Promise<Pretrained> {
  const model = modelOf(new CheckpointConfig(await readJsonObject(directory, "config.json")));
  return { model, weights: canonical(model, await readWeights(directory)) };
}

/** Tensors by our names: a checkpoint of the body alone leaves its module out of them. */
function canonical({ prefix, rename, buffers }: LanguageModel, weights: Weights): Weights {
  const renamed = new Map([...weights].map(([name, tensor]) => [rename ? rename(name) : name, tensor]));
  const bare = [...renamed.keys()].every((name) => !name.startsWith(`${prefix}.`));
  const full = [...renamed].map(([name, tensor]) => [bare ? `${prefix}.${name}` : name, tensor] as const);
  return new Map(full.filter(([name]) => !buffers.test(name)));
}

export interface HeadRequest {
  readonly head: HeadName;
  /** Classes, or values to predict, of the heads that have them. Default 1. */
  readonly labels?: number;
}

export interface BuiltModel {
  /** What the head gives; float32. */
  readonly output: Node;
  readonly scope: WeightScope;
}

/** A body and head over a scope, by default a new one. Throws TypeError where the family has no such head. */
export function buildModel(
  model: LanguageModel,
  { head, labels = 1 }: HeadRequest,
  options: { readonly inputs: TextInputs; readonly scope?: WeightScope; readonly dropout?: Dropout | undefined },
): BuiltModel {
  const { inputs, scope = new WeightScope(), dropout } = options;
  const make = model.heads[head];
  if (!make) throw new TypeError(`a model of module "${model.prefix}" has no head "${head}"`);
  return { output: make({ scope, states: model.states(scope, inputs, dropout), inputs, labels, dropout }), scope };
}

/** Whether a weight belongs to a head; BERT keeps part of one inside its body. */
export function isHeadWeight({ prefix }: LanguageModel, name: string): boolean {
  return !name.startsWith(`${prefix}.`) || name.startsWith(`${prefix}.pooler.`);
}

export interface NewHead {
  /** Chooses the first values of a head's weights. */
  readonly seed: number;
}

/**
 * The checkpoint's data for exactly the parameters given. With `newHead`, the head's weights are new and the
 * checkpoint's own head is left behind; a body never lacks or drops anything. Throws CheckpointError as `fitWeights`.
 */
export function weightsFor(
  { model, weights }: Pretrained,
  parameters: readonly Node[],
  newHead?: NewHead,
): Record<string, Float32Array> {
  if (!newHead) return fitWeights(weights, parameters, (name) => model.besides?.test(name) ?? false);
  const isHead = (name: string) => isHeadWeight(model, name);
  const body = parameters.filter(({ name }) => !isHead(name!));
  const head = parameters.filter(({ name }) => isHead(name!));
  return { ...fitWeights(weights, body, isHead), ...initialize(head, newHead.seed) };
}
