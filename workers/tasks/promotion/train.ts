/** The fine-tuning job of a turn, asked for once and waited for by nobody but the clock. */
import { randomInt } from "node:crypto";
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import { lookAgain } from "./collect.ts";
import type { Attempt, Next } from "./task.ts";

export async function train(attempt: Attempt): Promise<Next> {
  const { context, promotion } = attempt;
  const { jobs } = context.stores;
  const job = await jobs.get(promotion.project_id, promotion.fine_tuning_job);
  if (!job) await ask(attempt);
  if (job?.status === "succeeded") {
    const { fine_tuned_model: model } = job;
    return { to: "judging", reason: `'${model}' is trained.`, changes: { model } };
  }
  if (job?.status === "failed" || job?.status === "cancelled") {
    return { to: "rejected", reason: `The training ${job.status}: ${job.error?.message ?? "somebody asked for it."}` };
  }
  const { job_seconds } = promotion.policy.budget;
  if (!job || Date.now() / 1000 - job.created_at <= job_seconds) return { wait: lookAgain };
  const message = `Took longer than the ${job_seconds} s that the policy grants`;
  await jobs.transition(job, "cancelled", { level: "warn", message });
  return { to: "rejected", reason: `The training took longer than ${job_seconds} s.` };
}

async function ask({ context, promotion }: Attempt): Promise<void> {
  const { stores, queue } = context;
  const { project_id, fine_tuning_job: id } = promotion;
  const project = await stores.projects.get(project_id);
  const record = newJob(promotion, project!.organization_id);
  // Of two attempts at once the first one's row stands.
  if (!(await stores.jobs.get(project_id, id))) {
    await stores.jobs.create(record, { level: "info", message: `Created fine-tuning job: ${id}` });
  }
  await queue.send("fine_tuning_job", record);
}

function newJob(
  {
    project_id,
    id: promotion_id,
    fine_tuning_job,
    dataset_version,
    policy,
    turn,
    function: name,
  }: Attempt["promotion"],
  organization_id: string,
): JobRecord {
  const { model, hyperparameters, seed } = policy.training;
  return {
    id: fine_tuning_job,
    object: "fine_tuning.job",
    created_at: Math.floor(Date.now() / 1000),
    ...{ finished_at: null, estimated_finish: null, status: "validating_files", model, fine_tuned_model: null },
    ...{ organization_id, training_file: dataset_version, validation_file: null, result_files: [] },
    seed: seed ?? randomInt(2 ** 31),
    ...{ trained_tokens: null, hyperparameters, integrations: null, error: null, receipt: null, project_id },
    method: { type: "supervised", supervised: { hyperparameters } },
    metadata: { promotion: promotion_id },
    suffix: `${name}-${turn}`.slice(0, 64),
    ...{ lease: null, failures: 0, validated: false, latest_checkpoint: null },
  };
}
