/** Texts labelled by a teacher: what a smaller model then learns from as if people had labelled them. */
import { join } from "node:path";
import type { Dataset } from "../../../shared/data/dataset.ts";
import { readJsonLines } from "../../../shared/data/jsonLines.ts";
import { createLineWriter } from "../../../shared/data/lineWriter.ts";
import { recordsOf } from "../../../shared/pricing/asked.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { likeliestLabel } from "../../../shared/serving/likeliestLabel.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { throwIfStopped } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import { type Charge, chargeRow } from "../receipt.ts";
import { type Attempt, append, record } from "./attempt.ts";

/** A held-out text, what the teacher says of it, and what its owner does, if anything. */
export interface HeldText {
  text: string;
  taught: string;
  truth: string | undefined;
}

export interface LabelledSet {
  /** Labels are the teacher's. */
  dataset: Dataset;
  held: HeldText[];
}

interface Line {
  text: string;
  label: string;
  truth?: string;
}

/** Texts of one call of the teacher. */
const atOnce = 128;
const tellMilliseconds = 2000;

/**
 * The teacher labels once: what it said is stored, so that every attempt at the job learns from the same rows. Throws
 * PermanentFailure where it gives all texts one label.
 */
export async function labelTexts(attempt: Attempt, texts: Dataset, teacher: ModelRecord): Promise<LabelledSet> {
  const { job, directory, context } = attempt;
  const path = join(directory, "labelled.jsonl");
  if (job.labelled) await context.stores.objects.download(job.labelled.object_key, path, job.labelled.digest);
  else {
    const input_tokens = await writeLabels(attempt, texts, teacher, path);
    const object_key = objectKeys.labelled(job.project_id, job.id, attempt.lease.attempt);
    const { digest } = await context.stores.objects.putFile(object_key, path);
    const { changes, writes } = chargeTeacher(attempt, teacher, input_tokens);
    await record(attempt, { labelled: { object_key, digest }, ...changes }, writes);
  }
  return splitSet(attempt, texts, path);
}

async function writeLabels(attempt: Attempt, texts: Dataset, teacher: ModelRecord, path: string): Promise<number> {
  const { host } = attempt.context.inference;
  const total = texts.trainRows + texts.validRows;
  const output = createLineWriter(path);
  let [done, tokens, toldAt] = [0, 0, Date.now()];
  for await (const rows of inChunks(readBoth(texts))) {
    throwIfStopped(attempt);
    const answers = await host.classify(
      teacher,
      rows.map(({ text }) => text),
      attempt.lease.signal,
    );
    for (const [i, answer] of answers.entries()) {
      const label = likeliestLabel(answer);
      await output.write(JSON.stringify({ ...rows[i]!, label } satisfies Line & { held: boolean }));
    }
    done += rows.length;
    tokens += answers.reduce((sum, answer) => sum + answer.tokens, 0);
    if (Date.now() - toldAt < tellMilliseconds) continue;
    toldAt = Date.now();
    await append(attempt, { level: "info", message: `${teacher.id} has labelled ${done} of ${total} texts` });
  }
  await output.close();
  await append(attempt, { level: "info", message: `${teacher.id} has labelled all ${total} texts` });
  return tokens;
}

/** With what it said, which no other attempt asks again. The receipt's tokens are those that are learnt from. */
function chargeTeacher({ context, job }: Attempt, { id: model }: ModelRecord, input_tokens: number): Charge {
  const name = `${job.id}#teacher`;
  const asked = { endpoint: "/v1/decisions", model, usage: { input_tokens, output_tokens: 0 } } as const;
  const records = recordsOf(context.config.prices, name, [asked], Math.floor(Date.now() / 1000));
  return chargeRow(context, job, { name, records, tokens: 0 });
}

interface UnlabelledRow {
  text: string;
  truth?: string;
  held: boolean;
}

async function* readBoth({ trainFile, validFile, labels }: Dataset): AsyncGenerator<UnlabelledRow> {
  for (const [file, held] of [
    [trainFile, false],
    [validFile, true],
  ] as const) {
    for await (const { text, label } of readJsonLines<{ text: string; label: number }>(file)) {
      const truth = labels[label];
      yield { text, held, ...(truth && { truth }) };
    }
  }
}

/** Back to what training reads. Rows held out whose label no row to learn from has cannot be learned, nor judged by. */
async function splitSet({ directory }: Attempt, texts: Dataset, path: string): Promise<LabelledSet> {
  const rows = await Array.fromAsync(readJsonLines<Line & { held: boolean }>(path));
  const labels = [...new Set(rows.filter(({ held }) => !held).map(({ label }) => label))];
  if (labels.length < 2) {
    const message = `The teacher gives all texts the label ${JSON.stringify(labels[0] ?? "")}: there is nothing to learn.`;
    throw new PermanentFailure("single_label", message, "training_file");
  }
  const dataset: Dataset = {
    ...texts,
    labels,
    trainFile: join(directory, "taught.train.jsonl"),
    validFile: join(directory, "taught.valid.jsonl"),
    trainRows: 0,
    validRows: 0,
  };
  const [train, valid] = [createLineWriter(dataset.trainFile), createLineWriter(dataset.validFile)];
  const held: HeldText[] = [];
  for (const { text, label, truth, held: isHeld } of rows) {
    if (isHeld) held.push({ text, taught: label, truth });
    const number = labels.indexOf(label);
    if (number < 0) continue;
    dataset[isHeld ? "validRows" : "trainRows"]++;
    await (isHeld ? valid : train).write(JSON.stringify({ text, label: number }));
  }
  await Promise.all([train.close(), valid.close()]);
  return { dataset, held };
}

async function* inChunks<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let chunk: Item[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < atOnce) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length) yield chunk;
}
