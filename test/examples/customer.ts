/** What a customer writes: the official SDK, from a table of texts and labels to answers. */

import { setTimeout as wait } from "node:timers/promises";
import type OpenAI from "openai";
import { toFile } from "openai";
import type { FineTuningJob, FineTuningJobEvent } from "openai/resources/fine-tuning/jobs";

export interface Row {
  text: string;
  label: string;
}

/** What the model made of a text; `choice` null: it declined to guess. */
export interface Verdict {
  choice: string | null;
  /** By label; empty where it declined. */
  probabilities: Record<string, number>;
}

const pollMilliseconds = 250;

export async function fineTune(
  client: OpenAI,
  rows: readonly Row[],
  { model = "millrace-ngram", ...options }: { suffix: string; seed: number; model?: string },
): Promise<FineTuningJob> {
  const jsonl = rows.map(({ text, label }) => JSON.stringify({ text, label })).join("\n");
  const file = await client.files.create({
    file: await toFile(Buffer.from(jsonl), "train.jsonl"),
    purpose: "fine-tune",
  });
  return client.fineTuning.jobs.create({ model, training_file: file.id, ...options });
}

/** Tells what happens to a job as it happens; returns when it has succeeded, throws where it ends otherwise. */
export async function follow(
  client: OpenAI,
  id: string,
  tell: (event: FineTuningJobEvent) => void,
): Promise<FineTuningJob> {
  const seen = new Set<string>();
  for (;;) {
    // The job first: what led to its state is then among the events.
    const job = await client.fineTuning.jobs.retrieve(id);
    const news: FineTuningJobEvent[] = [];
    for await (const event of client.fineTuning.jobs.listEvents(id, { limit: 50 })) {
      if (seen.has(event.id)) break;
      seen.add(event.id);
      news.unshift(event);
    }
    news.forEach(tell);
    if (job.status === "succeeded") return job;
    if (job.status === "failed" || job.status === "cancelled") {
      throw new Error(`Fine-tuning job ${id} ${job.status}: ${job.error?.message ?? "no cause given"}`);
    }
    await wait(pollMilliseconds);
  }
}

/** The metrics of every step, from the job's result file. */
export async function metricsOf(client: OpenAI, job: FineTuningJob): Promise<Record<string, number | undefined>[]> {
  const csv = await (await client.files.content(job.result_files[0]!)).text();
  const [header = "", ...lines] = csv.trim().split("\n");
  const columns = header.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ? Number(values[i]) : undefined]));
  });
}

export async function decide(
  client: OpenAI,
  model: string,
  text: string,
  question: { instructions: string; labels: readonly string[] },
): Promise<Verdict> {
  const decision = await client.decisions.create({
    model,
    input: text,
    questions: [
      {
        type: "choice",
        instructions: question.instructions,
        choices: question.labels.map((value) => ({ value })),
      },
    ],
  });
  const answer = decision.answers[0];
  if (answer?.type !== "choice") return { choice: null, probabilities: {} };
  const probabilities = answer.probabilities.map(({ value, probability }) => [String(value), probability]);
  return { choice: String(answer.choice), probabilities: Object.fromEntries(probabilities) };
}

/** Jobs that an earlier run left behind would be worked on first. */
export async function cancelUnfinished(client: OpenAI): Promise<void> {
  for await (const { id, status } of client.fineTuning.jobs.list()) {
    if (!["succeeded", "failed", "cancelled"].includes(status)) await client.fineTuning.jobs.cancel(id);
  }
}
