/** Turns the probabilities of a classifier's labels into answers to questions. */
import { ApiError } from "../errors.ts";
import type { Answer, ChoiceQuestion, Question } from "../schemas/decision.ts";
import type { Classification } from "../serving/host.ts";

/** Pairs of labels whose first means yes. */
const yesAndNo = [
  ["true", "false"],
  ["yes", "no"],
  ["1", "0"],
  ["positive", "negative"],
] as const;

export function answer(question: Question, index: number, classification: Classification): Answer {
  const probabilities =
    question.type === "choice"
      ? choiceProbabilities(question, index, classification)
      : [predicateProbability(question, index, classification)];
  const name = question.name ?? null;
  const total = probabilities.reduce((sum, probability) => sum + probability, 0);
  const isGuess = !classification.known || (question.type === "choice" && total === 0);
  if (isGuess) return { type: "refusal", name };
  if (question.type !== "choice") return { type: "predicate", name, probability: total };
  return choose(
    name,
    question,
    probabilities.map((probability) => probability / total),
  );
}

/** Before anything is computed: a scale is not among what a classifier knows. */
export function refuseScores(questions: readonly Question[]): void {
  const index = questions.findIndex((question) => question.type === "score");
  if (index < 0) return;
  throw new ApiError("invalid_value", `'questions[${index}].type' is 'score', which this model does not support.`, {
    param: `questions[${index}].type`,
  });
}

function choose(name: string | null, { choices }: ChoiceQuestion, probabilities: readonly number[]): Answer {
  const confidence = Math.min(1, Math.max(...probabilities));
  const best = probabilities.indexOf(Math.max(...probabilities));
  return {
    type: "choice",
    name,
    choice: choices[best]!.value,
    confidence,
    probabilities: choices.map(({ value }, i) => ({ value, probability: Math.min(1, probabilities[i]!) })),
  };
}

function choiceProbabilities(question: ChoiceQuestion, index: number, { labels, probabilities }: Classification) {
  const seen = new Set<number>();
  return question.choices.map(({ value }, choice) => {
    const param = `questions[${index}].choices[${choice}].value`;
    const label = labels.indexOf(String(value));
    if (label < 0) {
      const message = `'${param}' is '${value}', which is no label of this model. ${listed(labels)}`;
      throw new ApiError("invalid_value", message, { param });
    }
    if (seen.has(label)) {
      throw new ApiError("invalid_value", `'${param}' repeats the choice '${value}'.`, { param });
    }
    seen.add(label);
    return probabilities[label]!;
  });
}

function predicateProbability(question: Question, index: number, { labels, probabilities }: Classification): number {
  const label = labelAskedFor(question, labels) ?? yesAmong(labels);
  if (label !== undefined) return probabilities[labels.indexOf(label)]!;
  const param = `questions[${index}].instructions`;
  const rule = `'${param}' (or the question's name) must be one of the model's labels, whose probability is then answered`;
  throw new ApiError("invalid_value", `${rule}. ${listed(labels)}`, { param });
}

/** By name or by instructions; exactly first, and then whatever the case. */
function labelAskedFor({ name, instructions }: Question, labels: readonly string[]): string | undefined {
  const asked = typeof instructions === "string" ? instructions : instructions.map(({ text }) => text).join("\n");
  const wanted = [name, asked].filter((text) => text !== undefined).map((text) => text.trim());
  const same = (text: string, label: string) => text.toLowerCase() === label.trim().toLowerCase();
  return (
    wanted.find((text) => labels.includes(text)) ?? labels.find((label) => wanted.some((text) => same(text, label)))
  );
}

function yesAmong(labels: readonly string[]): string | undefined {
  if (labels.length !== 2) return undefined;
  const known = (wanted: string) => labels.find((label) => label.trim().toLowerCase() === wanted);
  return yesAndNo.filter(([, no]) => known(no) !== undefined).map(([yes]) => known(yes))[0];
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 10).map((label) => `'${label}'`);
  return `Its labels are ${shown.join(", ")}${labels.length > shown.length ? " and others" : ""}.`;
}
