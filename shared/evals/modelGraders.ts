/** What a model says of an output: one of given labels, or a score within a range. */

import type { Classification } from "../serving/host.ts";
import { type Answer, type Asking, askModel, type Message, readJson, type WritingParams } from "./asking.ts";
import { RuleError } from "./ruleError.ts";

interface Judging extends Asking {
  variables: { item: unknown };
}

interface Asked {
  model: string;
  messages: readonly Message[];
}

/** Answers of a model that writes are held to this form. */
const formOf = (name: string, value: object): WritingParams => ({
  response_format: {
    type: "json_schema",
    json_schema: {
      name,
      schema: { type: "object", properties: { [name]: value }, required: [name], additionalProperties: false },
    },
  },
});

/** Of a tuned model, the likeliest of its labels that are among `labels`. Throws RuleError where none is. */
export async function labelFrom(
  judging: Judging,
  { labels, ...asked }: Asked & { labels: readonly string[] },
): Promise<{ label: string; answer: Answer }> {
  const params = formOf("label", { type: "string", enum: [...labels] });
  const answer = await askModel(judging, { ...asked, item: judging.variables.item, params });
  if (answer.read) {
    const label = likeliestAmong(answer.read, labels);
    return { label, answer: { ...answer, text: label } };
  }
  const { label } = readJson(answer.text);
  if (typeof label === "string" && labels.includes(label)) return { label, answer };
  throw new RuleError("unreadable_answer", "The model's answer is none of the labels.");
}

function likeliestAmong({ labels: known, probabilities }: Classification, labels: readonly string[]): string {
  const places = labels.map((label) => known.indexOf(label)).filter((place) => place >= 0);
  if (places.length === 0) {
    throw new RuleError("unknown_label", "The model knows none of 'labels': name labels that it was tuned on.");
  }
  return known[places.reduce((best, place) => (probabilities[place]! > probabilities[best]! ? place : best))]!;
}

/**
 * Of a tuned model whose labels are numbers, their mean by probability; of one whose labels are yes and no, how likely yes
 * is, spread over the range. Throws RuleError for other labels, and for a score beyond the range.
 */
export async function scoreFrom(
  judging: Judging,
  { range, params = {}, ...asked }: Asked & { range: readonly [number, number]; params?: WritingParams },
): Promise<{ score: number; answer: Answer }> {
  const form = formOf("score", { type: "number" });
  const answer = await askModel(judging, { ...asked, item: judging.variables.item, params: { ...params, ...form } });
  const score = answer.read ? expectedScore(answer.read, range) : readJson(answer.text).score;
  if (typeof score !== "number") throw new RuleError("unreadable_answer", "The model's answer is no score.");
  const [low, high] = range;
  if (score >= low && score <= high) return { score, answer };
  throw new RuleError("invalid_score", `The model's score is ${score}, outside of the range from ${low} to ${high}.`);
}

const yes = ["true", "yes", "1", "positive", "pass", "correct", "good"];

function expectedScore({ labels, probabilities }: Classification, [low, high]: readonly [number, number]): number {
  const numbers = labels.map((label) => (label.trim() === "" ? Number.NaN : Number(label)));
  if (numbers.every(Number.isFinite)) {
    // Rounding must not carry a sum beyond its greatest term.
    const mean = numbers.reduce((sum, value, i) => sum + value * probabilities[i]!, 0);
    return Math.min(Math.max(mean, Math.min(...numbers)), Math.max(...numbers));
  }
  const place = labels.findIndex((label) => yes.includes(label.trim().toLowerCase()));
  if (labels.length === 2 && place >= 0) return low + (high - low) * Math.min(1, probabilities[place]!);
  const message = "The model's labels are neither numbers nor yes and no: ask it by a label_model grader.";
  throw new RuleError("unknown_label", message);
}
