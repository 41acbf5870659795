/** A model is loaded when its job's success is told: once, and only while it is news. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createPrefetch } from "../../../api/services/prefetch.ts";
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";

const now = () => Math.floor(Date.now() / 1000);

function job(changes: Partial<JobRecord>): JobRecord {
  return {
    ...{ id: "ftjob-1", project_id: "proj_a", status: "succeeded", finished_at: now(), fine_tuned_model: "ft:a:b::c" },
    ...changes,
  } as JobRecord;
}

test("loads the model of a job that has just succeeded, once, and no other's", async () => {
  const loaded: string[] = [];
  const models = {
    async get(project: string, id: string) {
      if (id === "ft:gone") throw new Error("out of reach");
      return { id: `${project} ${id}` } as ModelRecord;
    },
  };
  const prefetch = createPrefetch(models, { prefetch: ({ id }) => void loaded.push(id) });
  prefetch.ofJob(job({ status: "running", finished_at: null, fine_tuned_model: null }));
  prefetch.ofJob(job({ id: "ftjob-0", finished_at: now() - 3600 }));
  prefetch.ofJob(job({ id: "ftjob-2", status: "failed", fine_tuned_model: null }));
  prefetch.ofJob(job({ id: "ftjob-3", fine_tuned_model: "ft:gone" }));
  for (let asked = 0; asked < 3; asked++) prefetch.ofJob(job({}));
  await setImmediate();
  assert.deepEqual(loaded, ["proj_a ft:a:b::c"]);
});
