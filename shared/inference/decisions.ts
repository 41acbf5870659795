/**
 * Decisions: one text, read once by a fine-tuned classifier, and every question answered from what it made of it; and
 * questions about what it was never taught answered by vectors, in one more pass for all of them.
 */
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import { type Answer, CreateDecision, type Decision } from "../schemas/decision.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Classification } from "../serving/host.ts";
import { type Asked, answerOf, asked, refusal } from "./answers.ts";
import { textOf } from "./decisionText.ts";
import { isEmbedder } from "./embedder.ts";
import type { Endpoint, InferenceCall } from "./endpoint.ts";
import { explain, refuseExplaining } from "./explain.ts";
import { answerByLabels, labelBehind, leastConfidence } from "./labelAnswers.ts";
import { type CallableModel, isFineTuned, withoutLabels } from "./modelLookUp.ts";
import { rowOf } from "./rows.ts";
import { type Comparison, compare, type Described, describedBy } from "./zeroShot.ts";

type Call = InferenceCall<CreateDecision>;

export const decisions: Endpoint<CreateDecision, Decision> = {
  path: "/v1/decisions",
  schema: CreateDecision,
  async answer(call) {
    const { context, project, request } = call;
    const questions = request.questions.map(asked);
    const model = asDecider(await context.models.callable(project, request.model));
    const text = isFineTuned(model) && model.columns ? rowOf(request.input, model.columns) : textOf(request.input);
    const read = isFineTuned(model) ? await classify(call, model, text) : undefined;
    const zeroShot = questions.map((question) => describedBy(question, model, read?.labels ?? null));
    refusePrecision(request, zeroShot);
    refuseReasons(request, zeroShot);
    const least = read ? leastConfidence(read, request.min_precision) : 0;
    const byLabels = questions.map((question, i) => (zeroShot[i] ? null : answerByLabels(question, read!, least)));
    const isKnown = read?.known ?? text.trim() !== "";
    const comparison = isKnown ? await compareAll(call, model, text, zeroShot) : undefined;
    const plain = byLabels.map((answer, i) => answer ?? byVectors(zeroShot[i]!, comparison));
    const answers = request.explain ? await withReasons(call, { model, text, questions, read, plain }) : plain;
    const { text: alone = 0, descriptions = 0 } = comparison?.tokens ?? {};
    const body = { model: model.id, answers, usage: usageOf((read?.tokens ?? alone) + descriptions) };
    return { body, model: model.id, digest: model.digest };
  },
};

/** What can answer any question: a tuned model, or an imported base. */
function asDecider(model: CallableModel): ModelRecord | BaseRecord {
  if (isFineTuned(model) || isEmbedder(model)) return model;
  throw withoutLabels(model);
}

async function classify({ context, signal }: Call, model: ModelRecord, text: string): Promise<Classification> {
  const [classification] = await context.host.classify(model, [text], signal);
  if (!classification) throw new Error(`The model host had no answer for ${model.id}`);
  return classification;
}

/** Nothing is known of how often zero-shot answers are right. */
function refusePrecision({ min_precision }: CreateDecision, zeroShot: readonly (Described | null)[]): void {
  const index = zeroShot.findIndex((described) => described !== null);
  if (!min_precision || index < 0) return;
  const message = `'questions[${index}]' is answered zero-shot, for which no 'min_precision' can be promised: leave it out, or ask for labels of a fine-tuned model.`;
  throw new ApiError("invalid_value", message, { param: "min_precision" });
}

/** Nothing but a label can be explained. */
function refuseReasons({ explain: asked }: CreateDecision, zeroShot: readonly (Described | null)[]): void {
  const index = zeroShot.findIndex((described) => described !== null);
  if (asked && index >= 0) throw refuseExplaining(index);
}

interface Answering {
  model: ModelRecord | BaseRecord;
  text: string;
  questions: readonly Asked[];
  read: Classification | undefined;
  plain: readonly Answer[];
}

async function withReasons({ context, signal }: Call, { model, text, questions, read, plain }: Answering) {
  if (!isFineTuned(model) || !read) return [...plain];
  const labels = plain.map((answer, i) => labelBehind(questions[i]!, answer, read));
  return explain({ host: context.host, model, text, signal }, plain, labels);
}

async function compareAll(
  { context, signal }: Call,
  model: ModelRecord | BaseRecord,
  text: string,
  zeroShot: readonly (Described | null)[],
): Promise<Comparison | undefined> {
  const descriptions = zeroShot.flatMap((described) => described?.descriptions ?? []);
  return descriptions.length > 0 ? compare(context.host, model, text, descriptions, signal) : undefined;
}

function byVectors({ question, descriptions }: Described, comparison: Comparison | undefined) {
  return comparison ? answerOf(question, comparison.weigh(descriptions)) : refusal(question);
}

function usageOf(tokens: number): Decision["usage"] {
  return {
    input_tokens: tokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokens,
  };
}
