/** What a question lets a model choose from, and the answer that probabilities of it make. */
import { ApiError } from "../errors.ts";
import type { Answer, ChoiceQuestion, PredicateQuestion, Question, ScoreQuestion } from "../schemas/decision.ts";

/** A choice, or a level of a score. */
export interface Option {
  name: string;
  description: string | undefined;
  /** Where it stands in the request. */
  param: string;
}

/** A question, with what it offers. */
export type Asked =
  | { question: PredicateQuestion; index: number; options: null }
  | { question: ChoiceQuestion | ScoreQuestion; index: number; options: readonly Option[] };

/** Throws ApiError for an option that stands there twice. */
export function asked(question: Question, index: number): Asked {
  if (question.type === "predicate") return { question, index, options: null };
  const options = optionsOf(question, index);
  const names = options.map(({ name }) => name);
  const repeated = options.find(({ name }, i) => names.indexOf(name) < i);
  if (!repeated) return { question, index, options };
  const { param, name } = repeated;
  throw new ApiError("invalid_value", `'${param}' repeats '${name}'.`, { param });
}

function optionsOf(question: ChoiceQuestion | ScoreQuestion, index: number): Option[] {
  if (question.type === "choice") {
    return question.choices.map(({ value, description }, i) => {
      return { name: String(value), description, param: `questions[${index}].choices[${i}].value` };
    });
  }
  return question.levels.map(({ label, description }, i) => {
    return { name: label, description, param: `questions[${index}].levels[${i}].label` };
  });
}

/** `weights` are of the options, in their order: probabilities, whatever they sum to. */
export function answerOf(question: ChoiceQuestion | ScoreQuestion, weights: readonly number[]): Answer {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return refusal(question);
  // Rounding may exceed 1 by a bit.
  const probabilities = weights.map((weight) => Math.min(1, weight / total));
  const name = question.name ?? null;
  const confidence = Math.max(...probabilities);
  if (question.type === "choice") {
    const choice = question.choices[probabilities.indexOf(confidence)]!.value;
    const byChoice = question.choices.map(({ value }, i) => ({ value, probability: probabilities[i]! }));
    return { type: "choice", name, choice, confidence, probabilities: byChoice };
  }
  const score = probabilities.reduce((sum, probability, value) => sum + probability * value, 0);
  const byLevel = question.levels.map(({ label }, value) => ({ label, value, probability: probabilities[value]! }));
  return { type: "score", name, score, confidence, probabilities: byLevel };
}

export function refusal({ name }: Question): Answer {
  return { type: "refusal", name: name ?? null };
}
