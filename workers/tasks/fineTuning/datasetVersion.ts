/** A dataset version as what a job learns from: its training rows, and its validation rows to judge by. Its test rows stay unseen. */
import { join } from "node:path";
import type { DatasetOptions } from "../../../shared/data/dataset.ts";
import { createLineWriter } from "../../../shared/data/lineWriter.ts";
import { readVersion } from "../../../shared/datasets/build.ts";
import { PermanentFailure } from "../../task.ts";
import type { Attempt } from "./attempt.ts";

/** Without validation rows a part of the training rows is held out, as of a file. */
export async function fetchDataset({
  context,
  job,
  directory,
}: Attempt): Promise<Pick<DatasetOptions, "training" | "validation">> {
  const version = await context.stores.datasets.versions.get(job.project_id, job.training_file);
  if (!version?.object_key) {
    const message = `The dataset version ${job.training_file} was deleted before it was read.`;
    throw new PermanentFailure("file_deleted", message, "training_file");
  }
  const path = join(directory, "dataset.jsonl");
  await context.stores.objects.download(version.object_key, path, version.digest!);
  const training = { path: join(directory, "training_file"), filename: "train.jsonl" };
  const validation = { path: join(directory, "validation_file"), filename: "validation.jsonl" };
  const outputs = { train: createLineWriter(training.path), validation: createLineWriter(validation.path) };
  const learned = new Set<string>();
  for await (const { label, split } of readVersion(path)) if (split === "train") learned.add(label);
  for await (const { text, label, split } of readVersion(path)) {
    // A label that no row to learn from has can be neither learned nor judged by.
    if (split !== "test" && learned.has(label)) await outputs[split].write(JSON.stringify({ text, label }));
  }
  await Promise.all([outputs.train.close(), outputs.validation.close()]);
  return version.rows?.validation ? { training, validation } : { training };
}
