/** Distillation: a teacher labels texts, a smaller model learns them (Hinton et al. 2015, with hard labels), and both are measured. */
import type { Dataset } from "../../../shared/data/dataset.ts";
import { bytesOf } from "../../../shared/schemas/baseContent.ts";
import type { DistillSettings } from "../../../shared/schemas/fineTuningJob.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { likeliestLabel } from "../../../shared/serving/likeliestLabel.ts";
import { PermanentFailure } from "../../task.ts";
import type { Attempt } from "./attempt.ts";
import { storeModel } from "./finish.ts";
import { type HeldText, labelTexts } from "./labelling.ts";
import { storeJsonResult } from "./results.ts";
import { succeed } from "./success.ts";
import { trainModel } from "./training.ts";

export async function distillModel(attempt: Attempt, texts: Dataset, { teacher: id }: DistillSettings): Promise<void> {
  const { context, job } = attempt;
  const teacher = await context.stores.models.get(job.project_id, id);
  if (!teacher) {
    const message = `The teacher ${id} was deleted before the job was done.`;
    throw new PermanentFailure("model_not_found", message, "method.distill.teacher");
  }
  const { dataset, held } = await labelTexts(attempt, texts, teacher);
  await trainModel(attempt, dataset, async (_attempt, event) => {
    const success = await storeModel(attempt, event);
    const report = await compare(attempt, { teacher, student: success.model }, held);
    const file = await storeJsonResult(attempt, "distillation.json", report);
    await succeed(attempt, { ...success, results: [...success.results, file] });
  });
}

interface Side {
  model: string;
  /** Of all that must be loaded to call it, the base it shares with others included. */
  bytes: number;
  /** Of its own file. */
  own_bytes: number;
  /** For one text, the median of several calls one after the other, on the worker. */
  milliseconds: number;
  /** Share of held-out texts that it labels as their owner does; null where no label is given. */
  accuracy: number | null;
}

interface Report {
  before: Side;
  after: Side;
  /** Share of held-out texts that both label alike. */
  agreement: number | null;
  held_out_texts: number;
}

interface Pair {
  teacher: ModelRecord;
  student: ModelRecord;
}

async function compare(attempt: Attempt, { teacher, student }: Pair, held: readonly HeldText[]): Promise<Report> {
  const answers = await labelsOf(attempt, student, held);
  const truths = held.map(({ truth }) => truth);
  const taught = held.map(({ taught }) => taught);
  const side = async (model: ModelRecord, labels: readonly string[]): Promise<Side> => ({
    model: model.id,
    bytes: model.bytes + (model.base ? bytesOf(model.base) : 0),
    own_bytes: model.bytes,
    milliseconds: await latency(attempt, model, held),
    accuracy: share(labels, truths),
  });
  return {
    before: await side(teacher, taught),
    after: await side(student, answers),
    agreement: share(answers, taught),
    held_out_texts: held.length,
  };
}

async function labelsOf({ context, lease }: Attempt, model: ModelRecord, held: readonly HeldText[]): Promise<string[]> {
  const texts = held.map(({ text }) => text);
  const answers = texts.length ? await context.inference.host.classify(model, texts, lease.signal) : [];
  return answers.map(likeliestLabel);
}

const timed = 30;

async function latency({ context, lease }: Attempt, model: ModelRecord, held: readonly HeldText[]): Promise<number> {
  const times: number[] = [];
  for (const { text } of held.slice(0, timed)) {
    const start = performance.now();
    await context.inference.host.classify(model, [text], lease.signal);
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
  return Math.round(median * 1000) / 1000;
}

/** Of the places where `expected` says something. */
function share(labels: readonly string[], expected: readonly (string | undefined)[]): number | null {
  const known = [...labels.keys()].filter((i) => expected[i] !== undefined);
  return known.length ? known.filter((i) => labels[i] === expected[i]).length / known.length : null;
}
