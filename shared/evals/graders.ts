/** Graders held against one item: a score, whether it passes, and what a model was asked for it. */
import { ApiError } from "../errors.ts";
import type { TokenUsage } from "../inference/usage.ts";
import type { Grader } from "../schemas/evalGrader.ts";
import type { EvalResult } from "../schemas/evalOutputItem.ts";
import { type Answer, type Asking, type Message, messagesOf } from "./asking.ts";
import { parseFormula } from "./formula.ts";
import { labelFrom, scoreFrom } from "./modelGraders.ts";
import { RuleError } from "./ruleError.ts";
import { similarities } from "./similarity.ts";
import { fill, type Variables } from "./templates.ts";
import { cosine } from "./vectors.ts";

export interface Grading extends Asking {
  variables: Variables;
}

/** What a model read and wrote. */
export interface ModelUse extends TokenUsage {
  model: string;
}

export interface Grade {
  score: number;
  /** Default: from 0.5 on. */
  passed?: boolean;
  sample?: Record<string, unknown>;
  uses?: readonly ModelUse[];
  /** Of a grader that is made of others. */
  sub_scores?: Record<string, number>;
}

type OfType<Type extends Grader["type"]> = Extract<Grader, { type: Type }>;
type Graders = { [Type in Grader["type"]]: (grader: OfType<Type>, grading: Grading) => Promise<Grade> };

const operations: Record<OfType<"string_check">["operation"], (input: string, reference: string) => boolean> = {
  eq: (input, reference) => input === reference,
  ne: (input, reference) => input !== reference,
  like: (input, reference) => input.includes(reference),
  ilike: (input, reference) => input.toLowerCase().includes(reference.toLowerCase()),
};

const usualScore = [0, 1] as const;
const usualThreshold = 0.5;
/** Characters: more would keep a worker busy for seconds with one item. */
const longestText = 50_000;

const graders: Graders = {
  async string_check({ input, reference, operation }, { variables }) {
    const passed = operations[operation](fill(input, variables), fill(reference, variables));
    return { score: passed ? 1 : 0, passed };
  },
  async text_similarity({ input, reference, evaluation_metric, model, pass_threshold }, grading) {
    const [found, wanted] = [fill(input, grading.variables), fill(reference, grading.variables)];
    if (Math.max(found.length, wanted.length) > longestText) {
      const message = `A text of more than ${longestText} characters is too long for text_similarity.`;
      throw new RuleError("text_too_long", message);
    }
    const measured =
      evaluation_metric === "cosine"
        ? await cosine(grading, model, found, wanted)
        : { score: similarities[evaluation_metric](found, wanted) };
    return { ...measured, passed: measured.score >= (pass_threshold ?? usualThreshold) };
  },
  async label_model({ model, input, labels, passing_labels }, grading) {
    const messages = messagesOf(input, grading.variables);
    const { label, answer } = await labelFrom(grading, { model, messages, labels });
    const passed = passing_labels.includes(label);
    return { score: passed ? 1 : 0, passed, ...told(messages, answer) };
  },
  async score_model({ model, input, range, sampling_params, pass_threshold }, grading) {
    const [low, high] = range ?? usualScore;
    const messages = messagesOf(input, grading.variables);
    const { max_completions_tokens, ...params } = sampling_params ?? {};
    const asked = { model, messages, range: [low!, high!] as const };
    const { score, answer } = await scoreFrom(grading, {
      ...asked,
      params: { max_completion_tokens: max_completions_tokens, ...params },
    });
    return { score, passed: score >= (pass_threshold ?? (low! + high!) / 2), ...told(messages, answer) };
  },
  async multi({ graders: given, calculate_output, pass_threshold }, grading) {
    const { evaluate } = parseFormula(calculate_output);
    const named = Object.entries(subGradersOf(given));
    const grades = await Promise.all(named.map(([, grader]) => gradeBy(grader, grading)));
    const sub_scores = Object.fromEntries(named.map(([name], i) => [name, grades[i]!.score]));
    const score = evaluate(sub_scores);
    const passed = score >= (pass_threshold ?? usualThreshold);
    return { score, passed, sub_scores, uses: grades.flatMap(({ uses = [] }) => uses) };
  },
};

/** By the names that a formula knows them by. */
export function subGradersOf(given: OfType<"multi">["graders"]): Record<string, Grader> {
  const isOne = "type" in given && typeof given.type === "string";
  return (isOne ? { [String(given.name)]: given } : given) as Record<string, Grader>;
}

/** Throws RuleError or ApiError where it cannot grade the item. */
export function gradeBy(grader: Grader, grading: Grading): Promise<Grade> {
  return (graders[grader.type] as (grader: Grader, grading: Grading) => Promise<Grade>)(grader, grading);
}

export interface Graded {
  result: EvalResult;
  uses: readonly ModelUse[];
}

/** What a grader cannot grade is told in its result, and stops no other; only an abort is thrown. */
export async function resultOf(grader: Grader, grading: Grading): Promise<Graded> {
  const { name, type } = grader;
  try {
    const { score, passed = score >= usualThreshold, sample = null, uses = [] } = await gradeBy(grader, grading);
    return { result: { name, type, score, passed, sample, error: null }, uses };
  } catch (error) {
    grading.signal.throwIfAborted();
    return { result: { name, type, score: 0, passed: false, sample: null, error: errorOf(error, grading) }, uses: [] };
  }
}

/** What a client may be told. */
export function errorOf(error: unknown, { report }: Pick<Asking, "report">): { code: string; message: string } {
  if (error instanceof RuleError || error instanceof ApiError) return { code: error.code, message: error.message };
  report(error);
  return { code: "internal_error", message: "Something went wrong on our side." };
}

function told(
  input: readonly Message[],
  { text, model, finish_reason, usage }: Answer,
): Pick<Grade, "sample" | "uses"> {
  const output = [{ role: "assistant", content: text }];
  return { sample: { input, output, model, finish_reason, usage }, uses: [{ model, ...usage }] };
}
