/** Last phase: model and result file are stored, and then they and the job's success come to be in one write. */
import { Readable } from "node:stream";
import type { StepRecord, TrainingEvent } from "../../../shared/engine/training/train.ts";
import { newId } from "../../../shared/ids.ts";
import type { FileRecord } from "../../../shared/schemas/file.ts";
import { eventWrite } from "../../../shared/stores/events.ts";
import { fileWrite } from "../../../shared/stores/files.ts";
import { modelWrite } from "../../../shared/stores/models.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { type Attempt, refusal, throwIfStopped } from "./attempt.ts";

export async function finish(
  attempt: Attempt,
  { path, history, tokens, columns }: TrainingEvent & { type: "finished" },
): Promise<void> {
  throwIfStopped(attempt);
  const { context, job, lease, model } = attempt;
  const key = objectKeys.model(job.project_id, job.id, lease.attempt);
  const { digest, bytes } = await context.stores.objects.putFile(key, path);
  const results = await storeResults(attempt, history);
  const modelRow = {
    id: model,
    object: "model" as const,
    created: Math.floor(Date.now() / 1000),
    owned_by: job.organization_id,
    project_id: job.project_id,
    base_model: job.model,
    ...(job.base && { base: job.base }),
    ...(columns && { columns }),
    job_id: job.id,
    object_key: key,
    digest,
    bytes,
  };
  const created = { level: "info" as const, message: `New fine-tuned model created: ${model}` };
  const done = await context.stores.jobs.transition(
    job,
    "succeeded",
    { level: "info", message: "The job has successfully completed" },
    {
      attempt: lease.attempt,
      changes: { fine_tuned_model: model, result_files: [results.id], trained_tokens: tokens, lease: null },
      writes: [eventWrite(job, created), modelWrite(modelRow), fileWrite(results)],
    },
  );
  if (!done) {
    // No row will ever name them.
    await Promise.all([key, results.object_key].map((unnamed) => context.stores.objects.delete(unnamed)));
    throw await refusal(attempt);
  }
  job.status = "succeeded";
}

async function storeResults({ context, job }: Attempt, history: readonly StepRecord[]): Promise<FileRecord> {
  const content = Buffer.from(resultsCsv(history));
  const id = newId("file");
  const object_key = objectKeys.file(job.project_id, id);
  await context.stores.objects.put(object_key, Readable.from([content]), { contentType: "text/csv" });
  return {
    id,
    object: "file",
    bytes: content.length,
    created_at: Math.floor(Date.now() / 1000),
    filename: "step_metrics.csv",
    purpose: "fine-tune-results",
    status: "processed",
    project_id: job.project_id,
    object_key,
  };
}

const columns = ["step", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "valid_macro_f1"] as const;

function resultsCsv(history: readonly StepRecord[]): string {
  const rows = history.map((metrics) => columns.map((column) => metrics[column] ?? "").join(","));
  return `${[columns.join(","), ...rows].join("\n")}\n`;
}
