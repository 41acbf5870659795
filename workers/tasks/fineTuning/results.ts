/** Files that a job leaves for its owner to read: the metrics of its steps, and what else it found out. */
import { Readable } from "node:stream";
import type { PretrainingRecord } from "../../../shared/engine/pretraining/pretrain.ts";
import type { StepRecord } from "../../../shared/engine/training/train.ts";
import { newId } from "../../../shared/ids.ts";
import type { FileRecord } from "../../../shared/schemas/file.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import type { Attempt } from "./attempt.ts";

/** Stores a file of purpose `fine-tune-results`; its row is the caller's to write. */
export async function storeResult(
  { context, job }: Attempt,
  filename: string,
  text: string,
  contentType: string,
): Promise<FileRecord> {
  const content = Buffer.from(text);
  const id = newId("file");
  const object_key = objectKeys.file(job.project_id, id);
  await context.stores.objects.put(object_key, Readable.from([content]), { contentType });
  return {
    id,
    object: "file",
    bytes: content.length,
    created_at: Math.floor(Date.now() / 1000),
    filename,
    purpose: "fine-tune-results",
    status: "processed",
    project_id: job.project_id,
    object_key,
  };
}

export function storeJsonResult(attempt: Attempt, filename: string, value: object): Promise<FileRecord> {
  return storeResult(attempt, filename, `${JSON.stringify(value, null, 2)}\n`, "application/json");
}

const columns = ["step", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy"] as const;
type Metrics = StepRecord | PretrainingRecord;

/** A line a step; `further` names the columns that a method has beside those all have. */
export function metricsFile(
  attempt: Attempt,
  history: readonly Metrics[],
  further: readonly string[] = ["valid_macro_f1"],
): Promise<FileRecord> {
  const names = [...columns, ...further];
  const rows = history.map((metrics) =>
    names.map((name) => (metrics as object as Record<string, unknown>)[name] ?? "").join(","),
  );
  return storeResult(attempt, "step_metrics.csv", `${[names.join(","), ...rows].join("\n")}\n`, "text/csv");
}
