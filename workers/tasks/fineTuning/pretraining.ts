/** Pre-training: an imported base, or one of the project's own, goes on learning from texts; the result is a base of the project's. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../../../shared/data/dataset.ts";
import type { PretrainingEvent } from "../../../shared/engine/pretraining/pretrain.ts";
import { baseDigest } from "../../../shared/schemas/base.ts";
import { type BaseContent, bytesOf } from "../../../shared/schemas/baseContent.ts";
import type { PretrainSettings } from "../../../shared/schemas/fineTuningJob.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { throwIfStopped } from "../../lease.ts";
import { type Attempt, requestedHyperparameters } from "./attempt.ts";
import { fetchBase } from "./base.ts";
import { learn } from "./learning.ts";
import { metricsFile, storeJsonResult } from "./results.ts";
import { modelRow, succeed } from "./success.ts";

/** Returns when the job has succeeded; throws Stopped once a last checkpoint is stored. */
export async function pretrainBase(
  attempt: Attempt,
  dataset: Dataset,
  { objective = "auto", contrastive = false }: PretrainSettings = {},
): Promise<void> {
  const { job, lease } = attempt;
  const { base } = await fetchBase(attempt);
  await learn(attempt, {
    start(device, places) {
      const request = {
        ...places,
        base: base!,
        textFiles: [{ path: dataset.trainFile }],
        ...(objective !== "auto" && { objective }),
        contrastive,
        hyperparameters: requestedHyperparameters(job),
        seed: job.seed,
        threads: device.threads,
      };
      return device.stream("pretrain", request, lease.signal);
    },
    finish,
  });
}

async function finish(attempt: Attempt, event: PretrainingEvent & { type: "finished" }): Promise<void> {
  throwIfStopped(attempt);
  const { history, tokens, perplexity } = event;
  const base = await storeBase(attempt, event.path);
  const report = { base_model: attempt.job.model, perplexity, tokens, bytes: bytesOf(base) };
  const results = [
    await metricsFile(attempt, history, ["stage", "valid_perplexity"]),
    await storeJsonResult(attempt, "pretraining.json", report),
  ];
  const weights = base.files.find(({ name }) => name === "model.safetensors")!;
  const { object_key } = weights;
  const { digest } = base;
  const model = { ...modelRow(attempt), kind: "base" as const, base, object_key, digest, bytes: bytesOf(base) };
  await succeed(attempt, { model, results, tokens, objects: base.files.map(({ object_key }) => object_key) });
}

async function storeBase({ context, job, lease }: Attempt, directory: string): Promise<BaseContent> {
  const files: BaseContent["files"] = [];
  for (const name of (await readdir(directory)).sort()) {
    const object_key = objectKeys.projectBase(job.project_id, job.id, lease.attempt, name);
    const { digest, bytes } = await context.stores.objects.putFile(object_key, join(directory, name));
    files.push({ name, object_key, digest, bytes });
  }
  return { digest: baseDigest(files), files };
}
