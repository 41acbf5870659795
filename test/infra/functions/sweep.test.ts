/** The sweep of the schedule: what wants a worker is sent although no worker is there. */
import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { newId } from "../../../shared/ids.ts";
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

const job = (project_id: string): JobRecord => ({
  ...{ id: newId("job"), object: "fine_tuning.job", created_at: 1, finished_at: null, estimated_finish: null },
  ...{ status: "validating_files", model: "millrace-ngram", fine_tuned_model: null, organization_id: "org-test" },
  ...{ training_file: "file-test", validation_file: null, result_files: [], seed: 1, trained_tokens: null },
  ...{ hyperparameters: {}, method: { type: "supervised" }, metadata: null, integrations: null, error: null },
  ...{ receipt: null, project_id, suffix: null, lease: null, failures: 0, validated: false, latest_checkpoint: null },
});

async function received(): Promise<unknown[]> {
  const asked = { QueueUrl: cloud.names.queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
  const { Messages = [] } = await cloud.aws.sqs.send(new ReceiveMessageCommand(asked));
  return Messages.map(({ Body }) => JSON.parse(Body!));
}

test("a job whose message was never sent is sent by a later sweep, once", async () => {
  Object.assign(process.env, cloud.environment, { MILLRACE_LOG_LEVEL: "silent", POWERTOOLS_METRICS_DISABLED: "true" });
  const { handler } = await import("../../../infra/functions/sweep.ts");
  const record = job(newId("project"));
  await cloud.stores.jobs.create(record, { level: "info", message: "created" });
  await handler();
  assert.deepEqual(await received(), [], "its message may still be on its way");

  const { now } = Date;
  mock.method(Date, "now", () => now() + 3_600_000);
  await handler();
  await handler();
  mock.restoreAll();
  const { id, project_id } = record;
  assert.deepEqual(await received(), [{ kind: "fine_tuning_job", project_id, id }]);
});
