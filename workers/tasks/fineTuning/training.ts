/** Supervised tuning: a model of its own, or an adapter and a head over a base, from rows with labels. */
import type { Dataset } from "../../../shared/data/dataset.ts";
import { type Attempt, requestedHyperparameters } from "./attempt.ts";
import { fetchStart } from "./base.ts";
import { finish } from "./finish.ts";
import { learn } from "./learning.ts";

/** Returns when the job has succeeded; throws Stopped once a last checkpoint is stored. */
export async function trainModel(attempt: Attempt, dataset: Dataset, end = finish): Promise<void> {
  const { job, lease } = attempt;
  const base = await fetchStart(attempt, dataset);
  await learn(attempt, {
    start(device, places) {
      const request = {
        ...base,
        ...places,
        threads: device.threads,
        trainFile: dataset.trainFile,
        validFile: dataset.validFile,
        labels: dataset.labels,
        refit: job.validation_file === null,
        hyperparameters: requestedHyperparameters(job),
        seed: job.seed,
      };
      return device.stream("train", request, lease.signal);
    },
    finish: end,
  });
}
