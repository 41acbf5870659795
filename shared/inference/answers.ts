/** What a question lets a model choose from, and the answer that probabilities of it make. */
import { ApiError } from "../errors.ts";
import type { Answer, ChoiceQuestion, PredicateQuestion, Question, ScoreQuestion } from "../schemas/decision.ts";

/** A choice, or a level of a score. */
export interface Option {
  name: string;
  description: string | undefined;
}

/** A question, with what it offers. */
export type Asked =
  | { question: PredicateQuestion; index: number; options: null }
  | { question: ChoiceQuestion | ScoreQuestion; index: number; options: readonly Option[] };

/** Throws ApiError for an option that stands there twice. */
export function asked(question: Question, index: number): Asked {
  if (question.type === "predicate") return { question, index, options: null };
  const options = optionsOf(question);
  const seen = new Set<string>();
  for (const [place, { name }] of options.entries()) {
    if (seen.has(name)) throw repeated({ question, index }, place, name);
    seen.add(name);
  }
  return { question, index, options };
}

function optionsOf(question: ChoiceQuestion | ScoreQuestion): Option[] {
  return question.type === "choice"
    ? question.choices.map(({ value, description }) => ({ name: String(value), description }))
    : question.levels.map(({ label, description }) => ({ name: label, description }));
}

function repeated(asked: Pick<Asked, "question" | "index">, place: number, name: string): ApiError {
  const param = optionPath(asked, place);
  return new ApiError("invalid_value", `'${param}' repeats '${name}'.`, { param });
}

/** Where an option stands in the request. */
export function optionPath({ question, index }: Pick<Asked, "question" | "index">, place: number): string {
  const list = question.type === "choice" ? `choices[${place}].value` : `levels[${place}].label`;
  return `questions[${index}].${list}`;
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
