/** Questions over anything that can be described: options are the likelier the nearer their descriptions are to the text. */
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import type { ChoiceQuestion, ScoreQuestion } from "../schemas/decision.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { ModelHost } from "../serving/host.ts";
import { type Asked, optionPath } from "./answers.ts";
import { isEmbedder, maxInputs } from "./embedder.ts";
import { listed, placesOf } from "./labelAnswers.ts";
import type { CallableModel } from "./modelLookUp.ts";

/**
 * What cosines are divided by before the softmax. Sentence encoders learn by a softmax of cosines over 0.05 (Henderson et
 * al. 2017; the scale of 20 in sentence-transformers), so that this is the loss they were trained for. It is fitted to no
 * validation rows: the order of options means something, and how sure the numbers look does not.
 */
const temperature = 0.05;

/** A question that vectors answer. */
export interface Described {
  question: ChoiceQuestion | ScoreQuestion;
  /** What stands for each option, in their order. */
  descriptions: readonly string[];
}

/**
 * Null where all options are labels, or a predicate asks for one: a question is answered by labels or by vectors, never by
 * both, as their scales have nothing in common. `labels` null: of a base model, which goes by names where nothing is
 * described. Throws ApiError naming the option, or the predicate, that nothing is known about.
 */
export function describedBy(asked: Asked, model: CallableModel, labels: readonly string[] | null): Described | null {
  const { question, index, options } = asked;
  if (options === null) {
    if (labels === null) throw noPredicate(index);
    return null;
  }
  const places = labels && placesOf(labels);
  if (places && options.every(({ name }) => places.has(name))) return null;
  const descriptions = options.map(({ name, description }, place) => {
    const isKnown = labels === null || places!.has(name);
    if (!isKnown && !(isEmbedder(model) && description?.trim())) {
      throw noLabel(optionPath(asked, place), name, model, labels);
    }
    return description?.trim() || name;
  });
  return { question, descriptions };
}

function noPredicate(index: number): ApiError {
  const cure = "ask a 'choice' whose choices describe what is so and what is not, or fine-tune the model on yes and no";
  const message = `'questions[${index}].type' is 'predicate', which asks for a label, and a base model has none: ${cure}.`;
  return new ApiError("invalid_value", message, { param: `questions[${index}].type` });
}

function noLabel(param: string, name: string, model: CallableModel, labels: readonly string[]): ApiError {
  const lack = isEmbedder(model) ? " and has no 'description' to go by" : "";
  const message = `'${param}' is '${name}', which is no label of this model${lack}. ${listed(labels)}`;
  return new ApiError("invalid_value", message, { param });
}

/** A text beside descriptions. */
export interface Comparison {
  tokens: { text: number; descriptions: number };
  /** Weights of options from what describes them; they sum to 1. */
  weigh(descriptions: readonly string[]): number[];
}

/** Reads the text and all descriptions in one pass. Throws ApiError where there are more than can be read at once. */
export async function compare(
  host: ModelHost,
  model: BaseRecord | ModelRecord,
  text: string,
  descriptions: readonly string[],
  signal: AbortSignal,
): Promise<Comparison> {
  const different = [...new Set(descriptions)];
  if (different.length >= maxInputs) {
    const message = `'questions' hold ${different.length} different descriptions; at most ${maxInputs - 1} can be compared at once.`;
    throw new ApiError("invalid_value", message, { param: "questions" });
  }
  const [own, ...others] = await host.embed(model, [text, ...different], signal);
  const cosines = new Map(different.map((description, i) => [description, dot(own!.vector, others[i]!.vector)]));
  return {
    tokens: { text: own!.tokens, descriptions: others.reduce((sum, { tokens }) => sum + tokens, 0) },
    weigh: (wanted) => softmax(wanted.map((description) => cosines.get(description)! / temperature)),
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function softmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
