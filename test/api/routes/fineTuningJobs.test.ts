/** Fine-tuning jobs: what may be asked for, what may be done in which state, and what reaches the queue. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { toFile } from "openai";
import { type JobState, jobStates } from "../../../shared/jobStates.ts";
import type { Message, MessageKind } from "../../../shared/messages.ts";
import type { CreateFineTuningJob, FineTuningJob } from "../../../shared/schemas/fineTuningJob.ts";
import type { RowName } from "../../../shared/stores/leasedRows.ts";
import { type Deployment, deploy, type Tenant } from "../../support/deployment.ts";
import { addModel } from "../../support/records.ts";

let deployment: Deployment;
let training_file: string;
const sent: Message[] = [];
let sending: () => Promise<void>;

before(async () => {
  const send = async (kind: MessageKind, { project_id, id }: RowName) => {
    await sending();
    sent.push({ kind, project_id, id });
  };
  deployment = await deploy({ queue: { send } });
  training_file = await upload();
});
beforeEach(() => {
  sending = async () => {};
  sent.length = 0;
});
after(() => deployment.close());

async function upload(purpose: "fine-tune" | "batch" = "fine-tune", tenant: Tenant = deployment.a): Promise<string> {
  const file = await toFile(Buffer.from("{}\n"), "a.jsonl");
  return (await deployment.client({ apiKey: tenant.key }).files.create({ file, purpose })).id;
}

const post = (path: string, body?: object) =>
  deployment.fetch(`/v1/fine_tuning/jobs${path}`, {
    method: "POST",
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });

async function create(fields: Partial<CreateFineTuningJob> = {}): Promise<FineTuningJob> {
  const response = await post("", { model: "millrace-ngram", training_file, ...fields });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as FineTuningJob;
}

async function refused(fields: object, status: number, param: string, message = /./): Promise<void> {
  const announced = sent.length;
  const response = await post("", { model: "millrace-ngram", training_file, ...fields });
  const { error } = (await response.json()) as { error: { param: string; message: string } };
  assert.deepEqual([response.status, error.param], [status, param], error.message);
  assert.match(error.message, message);
  assert.equal(sent.length, announced);
}

const nameOf = (id: string) => ({ project_id: deployment.a.project.id, id });

/** Walks a fresh job to a state, as workers and clients would. */
async function jobIn(state: JobState, validated = false): Promise<string> {
  const { id } = await create();
  const ways: Record<JobState, JobState[]> = {
    validating_files: [],
    queued: ["queued"],
    running: ["queued", "running"],
    paused: ["paused"],
    succeeded: ["queued", "running", "succeeded"],
    failed: ["failed"],
    cancelled: ["cancelled"],
  };
  for (const to of ways[state]) {
    const moved = await deployment.stores.jobs.transition(
      nameOf(id),
      to,
      { level: "info", message: to },
      {
        changes: { validated },
      },
    );
    assert.ok(moved);
  }
  sent.length = 0;
  return id;
}

test("a new job is stored with its event, then announced to the workers by id alone", async () => {
  const job = await create({ metadata: { team: "x" } });
  assert.deepEqual(sent, [{ kind: "fine_tuning_job", ...nameOf(job.id) }]);
  const record = await deployment.stores.jobs.get(deployment.a.project.id, job.id);
  assert.deepEqual(
    [record?.lease, record?.failures, record?.validated, record?.latest_checkpoint, record?.suffix],
    [null, 0, false, null, null],
  );
  assert.ok(Number.isInteger(job.seed) && job.seed >= 0 && job.seed < 2 ** 31);
});

test("no field of the workers' ever reaches a client", async () => {
  const { id } = await create();
  const keys = Object.keys((await (await deployment.fetch(`/v1/fine_tuning/jobs/${id}`)).json()) as object);
  for (const hidden of ["project_id", "lease", "failures", "validated", "latest_checkpoint", "suffix", "pk", "sk"]) {
    assert.ok(!keys.includes(hidden), hidden);
  }
});

test("a job whose message cannot be sent exists all the same, for the sweeper to deliver", async () => {
  sending = () => Promise.reject(new Error("the queue is down"));
  const { id } = await create();
  const overdue = await deployment.stores.jobs.overdue(Date.now() + 3_600_000, 1000);
  assert.ok(overdue.some((job) => job.id === id));
  const event = deployment.observed.find((each) => each.type === "message_unsent" && each.job_id === id);
  assert.match(String(event && "cause" in event && event.cause), /queue is down/);
});

test("the real queue gets the message", async () => {
  const real = await deploy();
  const file = await toFile(Buffer.from("{}\n"), "a.jsonl");
  const { id } = await real.client().files.create({ file, purpose: "fine-tune" });
  const job = await real.client().fineTuning.jobs.create({ model: "millrace-ngram", training_file: id });
  const { Messages } = await real.aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: real.names.queueUrl }));
  await real.close();
  assert.equal(JSON.parse(Messages![0]!.Body!).id, job.id);
});

test("the model must be a base model", async () => {
  const { id } = await addModel(deployment.stores, deployment.a);
  const { id: foreign } = await addModel(deployment.stores, deployment.b);
  await refused({ model: id }, 400, "model", /not supported yet/);
  await refused({ model: foreign }, 404, "model", /No such model/);
  await refused({ model: "gpt-4o-mini" }, 404, "model");
  await refused({ model: `ft:${"x".repeat(5000)}` }, 404, "model");
});

test("files must be the project's own, for fine-tuning, and two different ones", async () => {
  const foreign = await upload("fine-tune", deployment.b);
  const messages = await Promise.all(
    [foreign, `${foreign.slice(0, -1)}0`, "file-x"].map(async (id) => {
      const body = (await (await post("", { model: "millrace-ngram", training_file: id })).json()) as {
        error: { message: string };
      };
      return body.error.message.replace(id, "ID");
    }),
  );
  assert.deepEqual(new Set(messages), new Set(["No such file: 'ID'."]), "a stranger's file looks like a missing one");
  const batch = await upload("batch");
  for (const [param, fields] of [
    ["training_file", (id: string) => ({ training_file: id })],
    ["validation_file", (id: string) => ({ validation_file: id })],
  ] as const) {
    for (const id of [foreign, "file-x", batch]) await refused(fields(id), 400, param);
  }
  await refused({ validation_file: training_file }, 400, "validation_file", /must differ/);
});

test("hyperparameters come by `method`, or by their deprecated name, but not both ways at once", async () => {
  const method = (n_epochs: number) => ({ type: "supervised" as const, supervised: { hyperparameters: { n_epochs } } });
  const epochs = async (fields: Partial<CreateFineTuningJob>) => {
    const job = await create(fields);
    assert.deepEqual(job.method, { type: "supervised", supervised: { hyperparameters: job.hyperparameters } });
    return job.hyperparameters.n_epochs;
  };
  assert.equal(await epochs({}), "auto");
  assert.equal(await epochs({ method: { type: "supervised" } }), "auto");
  assert.equal(await epochs({ method: method(3) }), 3);
  assert.equal(await epochs({ hyperparameters: { n_epochs: 4 } }), 4);
  assert.equal(await epochs({ method: method(5), hyperparameters: { n_epochs: 5 } }), 5);
  assert.equal(await epochs({ method: { type: "supervised" }, hyperparameters: { n_epochs: 6 } }), 6);
  await refused({ method: method(3), hyperparameters: { n_epochs: 4 } }, 400, "hyperparameters.n_epochs");
  const at = (value: unknown) => ({ method: { type: "supervised", supervised: { hyperparameters: value } } });
  const path = "method.supervised.hyperparameters";
  await refused(at({ n_epochs: 51 }), 400, `${path}.n_epochs`, /50/);
  await refused(at({ n_epochs: 0.5 }), 400, `${path}.n_epochs`);
  await refused(at({ batch_size: "big" }), 400, `${path}.batch_size`, /auto.*number/);
  await refused(at({ learning_rate_multiplier: 0 }), 400, `${path}.learning_rate_multiplier`);
  await refused(at({ beta: 1 }), 400, `${path}.beta`, /Unknown/);
  await refused({ method: { type: "dpo" } }, 400, "method.type");
});

test("seed, suffix, metadata and integrations keep to their limits", async () => {
  assert.equal((await create({ seed: 2147483647 })).seed, 2147483647);
  await refused({ seed: 2147483648 }, 400, "seed");
  await refused({ suffix: "x".repeat(65) }, 400, "suffix");
  await refused({ suffix: "a:b" }, 400, "suffix");
  await refused({ metadata: { k: "x".repeat(513) } }, 400, "metadata.k");
  await refused({ metadata: { ["k".repeat(65)]: "x" } }, 400, `metadata.${"k".repeat(65)}`);
  await refused({ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, "x"])) }, 400, "metadata");
  await refused({ integrations: [{ type: "wandb", wandb: { project: "x" } }] }, 400, "integrations");
  assert.deepEqual((await create({ metadata: {}, integrations: [], suffix: null, seed: null })).metadata, {});
});

/** What each state answers to each change: the next state, or 409. */
const answers: Record<"cancel" | "pause" | "resume", Record<JobState, JobState | 409>> = {
  cancel: {
    validating_files: "cancelled",
    queued: "cancelled",
    running: "cancelled",
    paused: "cancelled",
    succeeded: 409,
    failed: 409,
    cancelled: "cancelled",
  },
  pause: {
    validating_files: "paused",
    queued: "paused",
    running: "paused",
    paused: "paused",
    succeeded: 409,
    failed: 409,
    cancelled: 409,
  },
  resume: {
    validating_files: "validating_files",
    queued: "queued",
    running: "running",
    paused: "validating_files",
    succeeded: 409,
    failed: 409,
    cancelled: 409,
  },
};

for (const change of ["cancel", "pause", "resume"] as const) {
  test(`${change} does in every state what it should, and twice is no worse than once`, async () => {
    for (const state of jobStates) {
      const id = await jobIn(state);
      const wanted = answers[change][state];
      for (const _ of ["once", "twice"]) {
        const response = await post(`/${id}/${change}`);
        const body = (await response.json()) as { status: JobState; error: { code: string; message: string } };
        assert.equal(response.status, wanted === 409 ? 409 : 200, `${change} when ${state}`);
        if (wanted === 409) {
          assert.equal(response.headers.get("x-should-retry"), "false");
          assert.deepEqual([body.error.code, body.error.message.includes(state)], ["invalid_state", true]);
        } else {
          assert.equal(body.status, wanted, `${change} when ${state}`);
        }
      }
    }
  });
}

test("a resumed job is announced again, and is not checked twice", async () => {
  for (const [validated, state] of [
    [true, "queued"],
    [false, "validating_files"],
  ] as const) {
    const id = await jobIn("paused", validated);
    assert.equal(((await (await post(`/${id}/resume`)).json()) as FineTuningJob).status, state);
    assert.deepEqual(sent, [{ kind: "fine_tuning_job", ...nameOf(id) }]);
    sent.length = 0;
  }
});

test("of many cancellations at once, one is told of in the events and all are answered", async () => {
  const id = await jobIn("running");
  const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await post(`/${id}/cancel`)).status));
  assert.deepEqual(new Set(statuses), new Set([200]));
  const events = await deployment.stores.events.list(nameOf(id), { limit: 100 });
  assert.equal(events.filter(({ message }) => message === "Job cancelled").length, 1);
});

test("a worker's move between look and write is looked at again", async () => {
  const id = await jobIn("queued");
  const get = deployment.stores.jobs.get;
  let raced = false;
  deployment.stores.jobs.get = async (project, job) => {
    const record = await get(project, job);
    if (!raced) {
      raced = true;
      await deployment.stores.jobs.transition(nameOf(id), "running", { level: "info", message: "started" });
    }
    return record;
  };
  const response = await post(`/${id}/pause`);
  deployment.stores.jobs.get = get;
  assert.equal(((await response.json()) as FineTuningJob).status, "paused");
  const { length } = await deployment.stores.events.list(nameOf(id), { limit: 100 });
  assert.equal(length, 4);
});

test("metadata filters match all pairs, and refuse what can match nothing", async () => {
  for (const query of [`metadata[${"k".repeat(65)}]=x`, `metadata[k]=${"x".repeat(513)}`, "metadata=x"]) {
    const response = await deployment.fetch(`/v1/fine_tuning/jobs?${query}`);
    const { error } = (await response.json()) as { error: { param: string } };
    assert.equal(response.status, 400, query);
    assert.match(error.param, /^metadata/);
  }
  const both = await deployment.fetch("/v1/fine_tuning/jobs?metadata=null&metadata[k]=x");
  assert.equal(both.status, 400);
});
