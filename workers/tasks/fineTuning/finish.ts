/** The end of supervised tuning: the model and its files are stored, and the job succeeds with them or not at all. */
import type { TrainingEvent } from "../../../shared/engine/training/train.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { throwIfStopped } from "../../lease.ts";
import type { Attempt } from "./attempt.ts";
import { raceFiles } from "./raceReport.ts";
import { metricsFile } from "./results.ts";
import { modelRow, type Success, succeed } from "./success.ts";

type Finished = TrainingEvent & { type: "finished" };

export async function finish(attempt: Attempt, event: Finished): Promise<void> {
  await succeed(attempt, await storeModel(attempt, event));
}

/** The model's file and the metrics, and the rows that are to name them. */
export async function storeModel(
  attempt: Attempt,
  { path, history, tokens, columns, race }: Finished,
): Promise<Success> {
  throwIfStopped(attempt);
  const { context, job, lease } = attempt;
  const object_key = objectKeys.model(job.project_id, job.id, lease.attempt);
  const { digest, bytes } = await context.stores.objects.putFile(object_key, path);
  const results = [await metricsFile(attempt, history), ...(race ? await raceFiles(attempt, race.report) : [])];
  const model = {
    ...modelRow(attempt),
    // A base that was raced with and lost is not the model's.
    ...(job.base && race?.usesBase !== false && { base: job.base }),
    ...(columns && { columns }),
    ...{ object_key, digest, bytes },
  };
  return { model, results, tokens, objects: [object_key] };
}
