/** Questions over the labels that a model was tuned on, answered from what it made of the text. */
import { confidenceFor } from "../engine/training/thresholds.ts";
import { ApiError } from "../errors.ts";
import type { Answer, PredicateQuestion } from "../schemas/decision.ts";
import type { Classification } from "../serving/host.ts";
import { type Asked, answerOf, refusal } from "./answers.ts";

/** Pairs of labels whose first means yes. */
const yesAndNo = [
  ["true", "false"],
  ["yes", "no"],
  ["1", "0"],
  ["positive", "negative"],
] as const;

/** Options must be labels. `leastConfidence` as `leastConfidence` gives it. */
export function answerByLabels(
  { question, index, options }: Asked,
  read: Classification,
  leastConfidence: number,
): Answer {
  const { labels, probabilities, known } = read;
  const top = Math.max(...probabilities);
  const isSure = known && top >= leastConfidence;
  if (options === null) {
    const probability = probabilities[predicateLabel(question, index, labels)]!;
    return isSure ? { type: "predicate", name: question.name ?? null, probability } : refusal(question);
  }
  const places = placesOf(labels);
  const weights = options.map(({ name }) => probabilities[places.get(name)!]!);
  // The promise of a precision was fitted on the model's first answer: a second one that was asked for is not covered.
  const isCovered = leastConfidence === 0 || weights.includes(top);
  return isSure && isCovered ? answerOf(question, weights) : refusal(question);
}

/** By the list of a model's labels, which is one for all answers of the model. */
const knownPlaces = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** The place of each label in the list: a question may choose from hundreds. */
export function placesOf(labels: readonly string[]): ReadonlyMap<string, number> {
  const known = knownPlaces.get(labels);
  if (known) return known;
  const places = new Map(labels.map((label, place) => [label, place]));
  knownPlaces.set(labels, places);
  return places;
}

/** The label an answer rests on; null of a refusal. */
export function labelBehind({ question, index }: Asked, answer: Answer, { labels }: Classification): string | null {
  if (answer.type === "refusal") return null;
  if (answer.type === "choice") return String(answer.choice);
  if (answer.type === "score") {
    return answer.probabilities.reduce((a, b) => (b.probability > a.probability ? b : a)).label;
  }
  return labels[predicateLabel(question as PredicateQuestion, index, labels)]!;
}

/** How sure the model must be of its first answer; 0 where no precision is asked for. Throws ApiError where it cannot be kept. */
export function leastConfidence({ thresholds = [] }: Classification, precision: number | null | undefined): number {
  if (!precision) return 0;
  const confidence = confidenceFor(thresholds, precision);
  if (confidence !== undefined) return confidence;
  const best = thresholds.at(-1)?.precision;
  const reason = best
    ? `its job's validation rows support ${best} at most`
    : "its job had no validation rows that support any, or ran before they were judged for it";
  throw new ApiError("invalid_value", `This model cannot promise a 'min_precision' of ${precision}: ${reason}.`, {
    param: "min_precision",
  });
}

function predicateLabel(question: PredicateQuestion, index: number, labels: readonly string[]): number {
  const label = labelAskedFor(question, labels) ?? yesAmong(labels);
  if (label !== undefined) return labels.indexOf(label);
  const param = `questions[${index}].instructions`;
  const rule = `'${param}' (or the question's name) must be one of the model's labels, whose probability is then answered`;
  throw new ApiError("invalid_value", `${rule}. ${listed(labels)}`, { param });
}

/** By name or by instructions; exactly first, and then whatever the case. */
function labelAskedFor({ name, instructions }: PredicateQuestion, labels: readonly string[]): string | undefined {
  const said = typeof instructions === "string" ? instructions : instructions.map(({ text }) => text).join("\n");
  const wanted = [name, said].filter((text) => text !== undefined).map((text) => text.trim());
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

/** For messages: the first few. */
export function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 10).map((label) => `'${label}'`);
  return `Its labels are ${shown.join(", ")}${labels.length > shown.length ? " and others" : ""}.`;
}
