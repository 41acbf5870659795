/** What a turn's checks look at: rows of dataset versions, what users said of answers, and what models say of texts. */
import { hash } from "node:crypto";
import { join } from "node:path";
import { readVersion } from "../../../shared/datasets/build.ts";
import { type DatasetRow, rowId } from "../../../shared/datasets/row.ts";
import { lessonOf } from "../../../shared/inference/lessons.ts";
import { isFineTuned } from "../../../shared/inference/modelLookUp.ts";
import { recordsOf } from "../../../shared/pricing/asked.ts";
import { type JudgedAnswer, labelledItems } from "../../../shared/promotion/feedbackItems.ts";
import type { DatasetVersionRecord } from "../../../shared/schemas/dataset.ts";
import type { InForce } from "../../../shared/schemas/inForce.ts";
import { likeliestLabel } from "../../../shared/serving/likeliestLabel.ts";
import { type Judged, streamJudged } from "../../../shared/stores/judged.ts";
import { throwIfStopped } from "../../lease.ts";
import type { Attempt } from "./task.ts";

/** The newest judged answers that are looked at. */
const mostJudged = 5000;
/** Texts of one call of a model. */
const atOnce = 128;

export interface Said {
  text: string;
  label: string;
  /** How many judged answers it stands for. */
  weight: number;
}

export async function versionRows(
  { context, directory }: Attempt,
  version: DatasetVersionRecord,
): Promise<DatasetRow[]> {
  const path = join(directory, `${version.id}.jsonl`);
  await context.stores.objects.download(version.object_key!, path, version.digest!);
  return Array.fromAsync(readVersion(path));
}

export async function ownVersion({ context, promotion }: Attempt): Promise<DatasetVersionRecord> {
  const { project_id, dataset_version } = promotion;
  return (await context.stores.datasets.versions.get(project_id, dataset_version))!;
}

/** The version that the test set is of. */
export async function testVersion({ context, promotion }: Attempt): Promise<DatasetVersionRecord> {
  const { dataset, version } = promotion.policy.test_set;
  const found = await context.stores.datasets.version(promotion.project_id, dataset, version);
  if (found?.status !== "ready") throw new Error(`Version ${version} of '${dataset}', the test set, is gone`);
  return found;
}

/** Test rows of the frozen version that the candidate does not learn from. */
export async function frozenRows(attempt: Attempt, own: readonly DatasetRow[]): Promise<DatasetRow[]> {
  const learned = learnedFrom(own);
  const rows = await versionRows(attempt, await testVersion(attempt));
  return rows.filter(({ split, id }) => split === "test" && !learned.has(id));
}

export function learnedFrom(rows: readonly DatasetRow[]): Set<string> {
  return new Set(rows.filter(({ split }) => split !== "test").map(({ id }) => id));
}

/** By row id: what users say is right of the function's newest answers, the last word first. */
export async function saidByUsers(attempt: Attempt): Promise<Map<string, Said>> {
  const { context, promotion } = attempt;
  const texts: string[] = [];
  const judged: JudgedAnswer[] = [];
  const filter = { function: promotion.function, has_feedback: true };
  for await (const one of streamJudged(context.stores, promotion.project_id, filter)) {
    throwIfStopped(attempt);
    const read = await judgedAnswer(attempt, one);
    if (read) {
      texts.push(read.text);
      judged.push(read);
    }
    if (judged.length >= mostJudged) break;
  }
  const said = new Map<string, Said>();
  for (const { index, label, weight } of labelledItems(judged)) {
    const id = rowId(texts[index]!);
    if (!said.has(id)) said.set(id, { text: texts[index]!, label, weight });
  }
  return said;
}

async function judgedAnswer(
  { context: { stores }, promotion }: Attempt,
  { inference, feedback }: Judged,
): Promise<(JudgedAnswer & { text: string }) | undefined> {
  const lesson = lessonOf(inference.endpoint, await stores.inferences.read(inference));
  if (lesson?.label === undefined) return undefined;
  const { metric_name } = promotion.policy;
  const accepted = metric_name === null ? undefined : feedback[metric_name]?.value;
  const correction = feedback.demonstration && (await shown(stores, inference.project_id, feedback.demonstration));
  return {
    text: lesson.text,
    answer: lesson.label,
    accepted: typeof accepted === "boolean" ? accepted : undefined,
    correction,
  };
}

async function shown({ feedback }: Attempt["context"]["stores"], project: string, { id }: InForce) {
  const found = await feedback.get(project, id);
  const value = found && (await feedback.valueOf(found));
  return value === undefined || typeof value === "object" ? undefined : String(value).trim();
}

/** Of each text, the label that a model gives. Throws where the model is none that has labels. */
export async function labelsBy(attempt: Attempt, model: string, texts: readonly string[]): Promise<string[]> {
  const { context, promotion, lease } = attempt;
  const { models, host } = context.inference;
  const found = await models.callable({ id: promotion.project_id }, model);
  if (!isFineTuned(found)) throw new Error(`'${model}' was not tuned on labels, and cannot be compared by them`);
  const labels: string[] = [];
  for (let start = 0; start < texts.length; start += atOnce) {
    throwIfStopped(attempt);
    const answers = await host.classify(found, texts.slice(start, start + atOnce), lease.signal);
    labels.push(...answers.map(likeliestLabel));
    await count(attempt, found.id, texts.slice(start, start + atOnce), answers);
  }
  return labels;
}

/** Under the step's own time and texts: whoever takes it again after a worker died counts them once. */
async function count(
  { context, promotion }: Attempt,
  model: string,
  texts: readonly string[],
  answers: readonly { tokens: number }[],
): Promise<void> {
  const input_tokens = answers.reduce((sum, { tokens }) => sum + tokens, 0);
  const asked = { endpoint: "/v1/decisions", model, usage: { input_tokens, output_tokens: 0 } } as const;
  const name = `${promotion.id}#${promotion.status}#${hash("sha256", JSON.stringify(texts))}`;
  const records = recordsOf(context.config.prices, name, [asked], promotion.created_at);
  await context.stores.usage.put(promotion.project_id, records);
}

/** The model of the variant that answered when the turn began. */
export async function incumbentModel({ context, promotion }: Attempt): Promise<string> {
  const called = await context.stores.functions.get(promotion.project_id, promotion.function);
  const variant = called?.variants.find(({ name }) => name === promotion.incumbent);
  if (!variant) throw new Error(`'${promotion.function}' has no variant '${promotion.incumbent}' any more`);
  return variant.model;
}
