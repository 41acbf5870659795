/** The sweep of the schedule: what wants a worker is sent although no worker is there, and counted. */
import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { sweepMetrics, sweepService } from "../../../infra/functions/metricNames.ts";
import { newId } from "../../../shared/ids.ts";
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";

let cloud: Cloud;
let handler: () => Promise<void>;
before(async () => {
  cloud = await openCloud();
  // Powertools writes past the console unless it is being developed with, and then only what it is told to.
  const powertools = { POWERTOOLS_DEV: "true", POWERTOOLS_METRICS_DISABLED: "false" };
  Object.assign(process.env, cloud.environment, { MILLRACE_LOG_LEVEL: "silent", ...powertools });
  ({ handler } = await import("../../../infra/functions/sweep.ts"));
});
after(() => cloud.close());

const job = (project_id: string): JobRecord => ({
  ...{ id: newId("job"), object: "fine_tuning.job", created_at: 1, finished_at: null, estimated_finish: null },
  ...{ status: "validating_files", model: "millrace-ngram", fine_tuned_model: null, organization_id: "org-test" },
  ...{ training_file: "file-test", validation_file: null, result_files: [], seed: 1, trained_tokens: null },
  ...{ hyperparameters: {}, method: { type: "supervised" }, metadata: null, integrations: null, error: null },
  ...{ receipt: null, project_id, suffix: null, lease: null, failures: 0, validated: false, latest_checkpoint: null },
});

interface Line {
  _aws: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[] };
  [property: string]: unknown;
}

/** A sweep, and what it told CloudWatch. */
async function swept(): Promise<Line[]> {
  const log = mock.method(console, "log", () => {});
  await handler();
  const lines = log.mock.calls.map(({ arguments: [line] }) => JSON.parse(String(line)) as Line);
  log.mock.restore();
  return lines;
}

async function received(): Promise<unknown[]> {
  const asked = { QueueUrl: cloud.names.queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
  const { Messages = [] } = await cloud.aws.sqs.send(new ReceiveMessageCommand(asked));
  return Messages.map(({ Body }) => JSON.parse(Body!));
}

test("a job whose message was never sent is sent by a later sweep, once", async () => {
  const record = job(newId("project"));
  await cloud.stores.jobs.create(record, { level: "info", message: "created" });
  await swept();
  assert.deepEqual(await received(), [], "its message may still be on its way");

  const { now } = Date;
  mock.method(Date, "now", () => now() + 3_600_000);
  await swept();
  await swept();
  mock.restoreAll();
  const { id, project_id } = record;
  assert.deepEqual(await received(), [{ kind: "fine_tuning_job", project_id, id }]);
});

test("work is counted by kind and state, under the names and dimensions that graphs and alarms look for", async () => {
  const rows = async () => {
    const lines = (await swept()).filter(({ Rows }) => Rows !== undefined);
    return lines.map(({ kind, state, Rows }) => `${Rows} ${kind} ${state}`);
  };
  const before = await rows();
  const waiting = job(newId("project"));
  const running = { ...job(newId("project")), status: "queued" as const };
  for (const record of [waiting, running])
    await cloud.stores.jobs.create(record, { level: "info", message: "created" });
  assert.ok(await cloud.stores.jobs.transition(running, "running", { level: "info", message: "begun" }));
  assert.deepEqual(before, ["1 fine_tuning_job validating_files"], "of what is none nothing is told");
  const both = ["1 fine_tuning_job running", "2 fine_tuning_job validating_files"];
  assert.deepEqual((await rows()).sort(), both);
  assert.ok(await cloud.stores.jobs.transition(running, "succeeded", { level: "info", message: "done" }));
  assert.deepEqual(await rows(), both.slice(1), "what is over wants nobody");

  for (const { _aws, ...values } of await swept()) {
    const [{ Namespace, Dimensions, Metrics: told }] = _aws.CloudWatchMetrics as [Line["_aws"]["CloudWatchMetrics"][0]];
    const name = told[0]!.Name as keyof typeof sweepMetrics;
    assert.deepEqual([Namespace, values.service], ["Millrace", sweepService]);
    assert.deepEqual(Dimensions, [sweepMetrics[name]], name);
  }
});
