/** The task behind a fine-tuning job's message: at least once in, exactly once out. */
import { rootOf } from "../../../shared/baseModels.ts";
import type { Dataset } from "../../../shared/data/dataset.ts";
import { fineTunedModelId } from "../../../shared/ids.ts";
import { unfinishedWork } from "../../../shared/jobStates.ts";
import type { JobError, JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import { eventWrite } from "../../../shared/stores/events.ts";
import { type HeldLease, type StopReason, throwIfStopped } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import { tryOnce } from "../../oneTry.ts";
import type { Outcome, PermanentFailure, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { type Attempt, append, refusal } from "./attempt.ts";
import { prepareData, reportFindings } from "./data.ts";
import { distillModel } from "./distillation.ts";
import { pretrainBase } from "./pretraining.ts";
import { trainModel } from "./training.ts";

const done: Outcome = { type: "done" };

export function fineTuningTask(context: WorkerContext): Task {
  const attempt = (job: JobRecord, lease: HeldLease) => attemptWork(context, job, lease);
  return leasedTask(context.config, { rows: context.stores.jobs, working: unfinishedWork, attempt });
}

async function attemptWork(context: WorkerContext, job: JobRecord, lease: HeldLease): Promise<Outcome> {
  const project = await context.stores.projects.get(job.project_id);
  if (!project) throw new Error(`Job ${job.id} is of project ${job.project_id}, which does not exist`);
  const model = fineTunedModelId(rootOf(job.model), project.organization_name, job.suffix, job.id);
  return inDirectory((directory) => runAttempt({ context, job, lease, model, directory, charged: { at: Date.now() } }));
}

function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { job, context, lease } = attempt;
  return tryOnce({
    ...{ context, rows: context.stores.jobs, row: job, lease },
    work: () => work(attempt),
    fail: (failure) => fail(attempt, failure),
    putDown: (reason) => putDown(attempt, reason),
    repeatLater: (failures) => repeatLater(attempt, failures),
  });
}

async function work(attempt: Attempt): Promise<void> {
  const { job } = attempt;
  if (!job.validated) await append(attempt, { level: "info", message: "Validating training file" });
  const dataset = await prepareData(attempt);
  if (!job.validated) {
    await reportFindings(attempt, dataset);
    await move(attempt, "queued", "Files validated, moving job to queued state", { validated: true });
  }
  throwIfStopped(attempt);
  if (job.status !== "running") {
    const from = job.latest_checkpoint ? ` again from step ${job.latest_checkpoint.step}` : "";
    await move(attempt, "running", `Fine-tuning job started${from}`);
  }
  await learnAs(attempt, dataset);
}

async function learnAs(attempt: Attempt, dataset: Dataset): Promise<void> {
  const { method } = attempt.job;
  if (method.type === "pretrain") return pretrainBase(attempt, dataset, method.pretrain);
  if (method.type === "distill") return distillModel(attempt, dataset, method.distill);
  return trainModel(attempt, dataset);
}

async function move(
  attempt: Attempt,
  to: "queued" | "running",
  message: string,
  changes: Partial<JobRecord> = {},
): Promise<void> {
  const { context, job, lease } = attempt;
  // Only from where it is known to be: a paused job, too, may be queued, but not by a worker that has not heard of it.
  const options = { attempt: lease.attempt, changes, from: [job.status] };
  if (!(await context.stores.jobs.transition(job, to, { level: "info", message }, options)))
    throw await refusal(attempt);
  Object.assign(job, changes, { status: to });
}

/** Work put down is stored already; what is left is to let go of the job so that another worker can have it. */
async function putDown({ context, job, lease }: Attempt, reason: StopReason): Promise<Outcome> {
  const { jobs } = context.stores;
  if (reason === "shutdown") {
    const event = { level: "info" as const, message: "Worker is going away; the job returns to the queue" };
    const options = { attempt: lease.attempt, changes: { lease: null }, from: ["running" as const] };
    if (!(await jobs.transition(job, "queued", event, options))) await jobs.release(job, lease.attempt);
    return { type: "retry", seconds: 0 };
  }
  await jobs.release(job, lease.attempt);
  // Resumed before this attempt had let go: the message of the resume found the lease taken and went away.
  const row = await jobs.get(job.project_id, job.id);
  return row && unfinishedWork.includes(row.status) ? { type: "retry", seconds: 0 } : done;
}

/** False when the job was paused or cancelled just before. */
async function fail({ context, job, lease }: Attempt, error: PermanentFailure): Promise<boolean> {
  const { jobs } = context.stores;
  const cause: JobError = { code: error.code, message: error.message, param: error.param };
  const failed = await jobs.transition(
    job,
    "failed",
    { level: "error", message: `The job failed: ${error.message.split("\n", 1)[0]}`, data: { code: error.code } },
    { attempt: lease.attempt, changes: { error: cause, lease: null } },
  );
  if (!failed) await jobs.release(job, lease.attempt);
  return failed;
}

async function repeatLater({ context, job, lease }: Attempt, failures: number): Promise<void> {
  const { jobs } = context.stores;
  const message = `Attempt ${failures} of ${context.config.maxAttempts} failed and will be repeated`;
  const told = eventWrite(job, { level: "warn", message });
  if (!(await jobs.record(job, lease.attempt, { failures, lease: null }, [told])))
    await jobs.release(job, lease.attempt);
}
