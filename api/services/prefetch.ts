/** A client that is told of its job's success asks the new model next: by then it is loaded. */
import { LRUCache } from "lru-cache";
import type { JobRecord } from "../../shared/schemas/fineTuningJob.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { Models } from "../../shared/stores/models.ts";

export interface Prefetch {
  /** Begins to load the model of a job that has just succeeded, once; returns at once. */
  ofJob(job: JobRecord): void;
}

/** Who looks at an older job is not about to call its model. */
const justNowSeconds = 300;

export function createPrefetch(models: Pick<Models, "get">, host: Pick<ModelHost, "prefetch">): Prefetch {
  const begun = new LRUCache<string, true>({ max: 1000 });
  const fetch = async ({ project_id, fine_tuned_model }: JobRecord) => {
    const model = await models.get(project_id, fine_tuned_model!);
    if (model) host.prefetch(model);
  };
  return {
    ofJob(job) {
      const isNew = job.finished_at !== null && Date.now() / 1000 - job.finished_at < justNowSeconds;
      if (job.status !== "succeeded" || !isNew || begun.has(job.id)) return;
      begun.set(job.id, true);
      // It is a favour: where it fails, the call itself says so.
      fetch(job).catch(() => {});
    },
  };
}
