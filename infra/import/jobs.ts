/** Jobs that succeeded there are run again here, on the same rows; known by their old ids, which are in their metadata. */
import { setTimeout as wait } from "node:timers/promises";
import type { FineTuningJob } from "openai/resources/fine-tuning/jobs";
import type { Calls } from "./calls.ts";
import { fileOf } from "./files.ts";
import type { Export } from "./folder.ts";
import type { OpenAiJob } from "./openAiObjects.ts";
import { type Outcome, reasonOf } from "./outcome.ts";

export interface Trained {
  /** `ft:gpt-…`. */
  old: string;
  /** What took its place. */
  model: string;
  /** Texts that it learned from. */
  learned: ReadonlySet<string>;
}

export interface Training {
  /** The base that jobs tune; undefined: jobs of earlier runs are waited for, and none is created. */
  base: string | undefined;
  /** Ids of uploaded files by their paths. */
  files: ReadonlyMap<string, string>;
}

const label = "openai_job";
const pollMilliseconds = 500;
const isOver = ({ status }: FineTuningJob) => ["succeeded", "failed", "cancelled"].includes(status);

export async function trainJobs(calls: Calls, found: Export, training: Training) {
  const outcomes: Outcome[] = [];
  const trained: Trained[] = [];
  const here = found.jobs.length > 0 ? await jobsHere(calls) : new Map<string, FineTuningJob>();
  const begun: { job: OpenAiJob; own: FineTuningJob; isNew: boolean }[] = [];
  for (const job of found.jobs) {
    const earlier = here.get(job.id);
    const why = earlier ? undefined : whyNot(job, found, training);
    const own = earlier ?? (why ? why : await create(calls, job, found, training).catch(reasonOf));
    if (typeof own === "string") outcomes.push({ of: job.id, id: null, state: "left", note: own });
    else begun.push({ job, own, isNew: !earlier });
  }
  for (const [i, { job, own, isNew }] of begun.entries()) {
    calls.progress("jobs", i, begun.length);
    const over = await ended(calls, own);
    const { error, status, fine_tuned_model: model, id } = over;
    const note = status === "succeeded" ? model : `${status}: ${error?.message ?? "no cause given"}`;
    outcomes.push({ of: job.id, id, state: isNew ? "imported" : "present", note });
    if (!model || !job.fine_tuned_model) continue;
    const rows = fileOf(job.training_file, found)?.rows ?? [];
    trained.push({ old: job.fine_tuned_model, model, learned: new Set(rows.map(({ text }) => text)) });
  }
  return { outcomes, trained };
}

/** By the id there; one that went wrong is none. */
async function jobsHere({ client, signal }: Calls): Promise<Map<string, FineTuningJob>> {
  const here = new Map<string, FineTuningJob>();
  for await (const job of client.fineTuning.jobs.list({ limit: 100 }, { signal })) {
    const id = job.metadata?.[label];
    if (id && !here.has(id) && !["failed", "cancelled"].includes(job.status)) here.set(id, job);
  }
  return here;
}

function whyNot(job: OpenAiJob, found: Export, { base }: Training): string | undefined {
  if (job.status !== "succeeded" || !job.fine_tuned_model) return `there it ${job.status}: nothing to take over`;
  const method = job.method?.type ?? "supervised";
  if (method !== "supervised") return `its method is ${method}: only supervised jobs are taken over`;
  const file = fileOf(job.training_file, found);
  if (!file) return `its training file '${job.training_file}' is not in the folder`;
  if (!file.isClassification) return `'${file.path}' has texts for answers, not labels: Millrace tunes classifiers`;
  return base === undefined ? "not trained: ask for it with --train" : undefined;
}

async function create({ client, signal }: Calls, job: OpenAiJob, found: Export, { base, files }: Training) {
  const idOf = (id: string | null | undefined) => files.get((id && fileOf(id, found)?.path) || "");
  const suffix = job.user_provided_suffix ?? job.fine_tuned_model!.split(":")[3];
  return client.fineTuning.jobs.create(
    {
      model: base!,
      training_file: idOf(job.training_file)!,
      validation_file: idOf(job.validation_file) ?? null,
      suffix: suffix || null,
      seed: job.seed ?? null,
      metadata: { [label]: job.id, openai_model: job.fine_tuned_model! },
    },
    { signal },
  );
}

async function ended({ client, signal }: Calls, job: FineTuningJob): Promise<FineTuningJob> {
  for (let now = job; ; now = await client.fineTuning.jobs.retrieve(job.id, { signal })) {
    if (isOver(now)) return now;
    await wait(pollMilliseconds, undefined, { signal });
  }
}
