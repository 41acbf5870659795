/** A job's success: its model, its result files and its state are written in one transaction. */
import { rootOf } from "../../../shared/baseModels.ts";
import { paceName, paceOf } from "../../../shared/budget/jobCost.ts";
import type { FileRecord } from "../../../shared/schemas/file.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { paceWrite } from "../../../shared/stores/budgets.ts";
import { eventWrite } from "../../../shared/stores/events.ts";
import { fileWrite } from "../../../shared/stores/files.ts";
import { modelWrite } from "../../../shared/stores/models.ts";
import { type Attempt, refusal } from "./attempt.ts";
import { charge } from "./charge.ts";

export interface Success {
  model: ModelRecord;
  results: readonly FileRecord[];
  /** Tokens seen in training, repeats counted. */
  tokens: number;
  /** Keys of the model's objects. */
  objects: readonly string[];
}

/** What every method's model has. */
export function modelRow({ job, model }: Attempt): Omit<ModelRecord, "object_key" | "digest" | "bytes"> {
  return {
    id: model,
    object: "model",
    created: Math.floor(Date.now() / 1000),
    owned_by: job.organization_id,
    project_id: job.project_id,
    base_model: rootOf(job.model),
    job_id: job.id,
  };
}

/** Throws Stopped, with nothing left behind, where the job is no longer this attempt's. */
export async function succeed(attempt: Attempt, { model, results, tokens, objects }: Success): Promise<void> {
  const { context, job, lease } = attempt;
  const charges = charge(attempt, { tokens, ends: true });
  const pace = paceOf(job, { tokens, seconds: charges.changes.receipt.seconds });
  const created = { level: "info" as const, message: `New fine-tuned model created: ${model.id}` };
  const done = await context.stores.jobs.transition(
    job,
    "succeeded",
    { level: "info", message: "The job has successfully completed" },
    {
      attempt: lease.attempt,
      changes: {
        fine_tuned_model: model.id,
        result_files: results.map(({ id }) => id),
        trained_tokens: tokens,
        lease: null,
        ...charges.changes,
      },
      writes: [
        ...[eventWrite(job, created), modelWrite(model), ...results.map(fileWrite), ...charges.writes],
        ...(pace ? [paceWrite(paceName(job), pace)] : []),
      ],
    },
  );
  if (!done) {
    // No row will ever name them.
    const unnamed = [...objects, ...results.map(({ object_key }) => object_key)];
    await Promise.all(unnamed.map((key) => context.stores.objects.delete(key)));
    throw await refusal(attempt);
  }
  job.status = "succeeded";
}
