/** The rows of jobs against the local cloud: every transition of the table and no other, leases, and the sweeper. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newId } from "../../../shared/ids.ts";
import { isFinal, type JobState, jobStates } from "../../../shared/jobStates.ts";
import type { Message, MessageKind } from "../../../shared/messages.ts";
import type { JobRecord } from "../../../shared/schemas/fineTuningJob.ts";
import { newLease, type RowName } from "../../../shared/stores/leasedRows.ts";
import { createTable } from "../../../shared/stores/table.ts";
import { takeLease } from "../../../workers/lease.ts";
import { sweep } from "../../../workers/sweeper.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

const project_id = newId("project");
const event = { level: "info" as const, message: "moved" };

async function store(changes: Partial<JobRecord> = {}): Promise<JobRecord> {
  const record: JobRecord = {
    id: newId("job"),
    object: "fine_tuning.job",
    created_at: 1,
    finished_at: null,
    estimated_finish: null,
    status: "validating_files",
    model: "millrace-ngram",
    fine_tuned_model: null,
    organization_id: "org-test",
    training_file: "file-test",
    validation_file: null,
    result_files: [],
    seed: 1,
    trained_tokens: null,
    hyperparameters: {},
    method: { type: "supervised" },
    metadata: null,
    integrations: null,
    error: null,
    receipt: null,
    project_id,
    suffix: null,
    lease: null,
    failures: 0,
    validated: false,
    latest_checkpoint: null,
    ...changes,
  };
  await cloud.stores.jobs.create(record, { level: "info", message: "created" });
  return record;
}

const read = async ({ id }: { id: string }) => (await cloud.stores.jobs.get(project_id, id))!;
const messages = async ({ id }: { id: string }) =>
  (await cloud.stores.events.list({ project_id, id }, { limit: 100 })).map(({ message }) => message).reverse();

/** The design's own words, once more: from each state to these. */
const legal: Record<JobState, JobState[]> = {
  validating_files: ["queued", "paused", "failed", "cancelled"],
  queued: ["running", "paused", "failed", "cancelled"],
  running: ["queued", "paused", "succeeded", "failed", "cancelled"],
  paused: ["validating_files", "queued", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

for (const from of jobStates) {
  test(`from ${from} a job goes to ${legal[from].join(", ") || "nowhere"}, with an event, and nowhere else`, async () => {
    for (const to of jobStates) {
      const job = await store({ status: from });
      const moved = await cloud.stores.jobs.transition(job, to, event);
      assert.equal(moved, legal[from].includes(to), `${from} -> ${to}`);
      const row = await read(job);
      assert.equal(row.status, moved ? to : from);
      assert.deepEqual(await messages(job), moved ? ["created", "moved"] : ["created"]);
      assert.equal(row.finished_at !== null, moved && isFinal(to));
    }
  });
}

test("a transition with an attempt, or from named states, holds only for these", async () => {
  const { jobs } = cloud.stores;
  const lease = newLease(60);
  const job = await store({ status: "running", lease });
  assert.equal(await jobs.transition(job, "queued", event, { attempt: "attempt_other" }), false);
  assert.equal(await jobs.transition(job, "queued", event, { from: ["paused"] }), false);
  assert.equal(await jobs.transition(job, "queued", event, { attempt: lease.attempt_id, from: ["running"] }), true);
});

test("of many transitions at once exactly one is made", async () => {
  const job = await store({ status: "running" });
  const to = ["succeeded", "failed", "cancelled"] as const;
  const won = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      cloud.stores.jobs.transition(job, to[i % 3]!, { ...event, message: to[i % 3]! }),
    ),
  );
  assert.equal(won.filter(Boolean).length, 1);
  assert.deepEqual(await messages(job), ["created", (await read(job)).status]);
});

test("an attempt's record needs its lease and an unfinished job, and brings its rows or none", async () => {
  const { jobs } = cloud.stores;
  const lease = newLease(60);
  const key = (sk: string) => ({ pk: `${project_id}#note`, sk });
  const note = (sk: string) => ({ type: "create" as const, key: key(sk), item: {} });
  const job = await store({ status: "paused", lease });
  assert.equal(await jobs.record(job, lease.attempt_id, { trained_tokens: 5 }, [note("a")]), true);
  assert.equal(await jobs.record(job, lease.attempt_id, {}, [note("b")]), true);
  assert.equal(await jobs.record(job, "attempt_other", {}, [note("c")]), false);
  await jobs.transition(job, "cancelled", event);
  assert.equal(await jobs.record(job, lease.attempt_id, { estimated_finish: 9 }, [note("d")]), false);
  const row = await read(job);
  assert.deepEqual([row.trained_tokens, row.estimated_finish], [5, null]);
  const table = createTable(cloud.aws.dynamodb, cloud.names.table);
  const notes = await Promise.all(["a", "b", "c", "d"].map((sk) => table.get(key(sk))));
  assert.deepEqual(
    notes.map((found) => found !== undefined),
    [true, true, false, false],
  );
});

const options = { leaseSeconds: 60, pollSeconds: 0.02, shutdown: new AbortController().signal };

test("one of many takers gets the lease, and a job that wants no worker gives none", async () => {
  const { jobs } = cloud.stores;
  const job = await store();
  const leases = await Promise.all(Array.from({ length: 10 }, async () => takeLease(jobs, await read(job), options)));
  const held = leases.filter((lease) => lease !== undefined);
  assert.equal(held.length, 1);
  held[0]!.end();
  for (const status of ["paused", "succeeded", "failed", "cancelled"] as const) {
    assert.equal(await takeLease(jobs, await store({ status }), options), undefined, status);
  }
});

test("a lease that ran out is taken over and counts as a failure; one given back does not", async () => {
  const { jobs } = cloud.stores;
  const dead = await store({ status: "running", lease: newLease(-1) });
  const successor = await takeLease(jobs, dead, options);
  successor!.end();
  assert.equal((await read(dead)).failures, 1);
  assert.equal(dead.failures, 1, "the taker's copy is up to date");

  const left = newLease(60);
  const job = await store({ status: "running", lease: left });
  const seenBefore = await read(job);
  await jobs.release(job, left.attempt_id);
  assert.equal(await takeLease(jobs, seenBefore, options), undefined, "what it knew is no longer so");
  (await takeLease(jobs, await read(job), options))!.end();
  assert.equal((await read(job)).failures, 0);
});

for (const [how, reason] of [
  ["paused", "paused"],
  ["cancelled", "cancelled"],
  ["lost", "lost"],
  ["paused and resumed", "paused"],
  ["shutdown", "shutdown"],
] as const) {
  test(`whoever holds a job that is ${how} is told "${reason}"`, async () => {
    const { jobs } = cloud.stores;
    const shutdown = new AbortController();
    const job = await store({ status: "running" });
    const lease = (await takeLease(jobs, job, { ...options, shutdown: shutdown.signal }))!;
    const told = new Promise((resolve) => lease.signal.addEventListener("abort", resolve));
    if (how === "shutdown") shutdown.abort();
    else if (how === "lost") await jobs.release(job, lease.attempt);
    else await jobs.transition(job, reason as JobState, event);
    if (how === "paused and resumed") await jobs.transition(job, "queued", event);
    await told;
    assert.equal(lease.signal.reason, reason);
    lease.end();
  });
}

test("a held lease is renewed for as long as it is held", async () => {
  const job = await store({ status: "running" });
  const lease = (await takeLease(cloud.stores.jobs, job, { ...options, leaseSeconds: 0.3 }))!;
  const first = (await read(job)).lease!.expires_at;
  while ((await read(job)).lease!.expires_at < first + 500) assert.equal(lease.signal.aborted, false);
  lease.end();
});

test("the sweeper sends what is overdue, once, and nothing that needs no worker", async () => {
  const { jobs } = cloud.stores;
  const sent: Message[] = [];
  const send = async (kind: MessageKind, { id }: RowName) => void sent.push({ kind, project_id, id });
  const queue = { send };
  const later = Date.now() + 31_000;
  await sweep(jobs, queue, later);
  sent.length = 0;
  const waiting = await store();
  const queued = await store({ status: "queued" });
  await store({ status: "paused" });
  await store({ status: "failed" });
  await sweep(jobs, queue, Date.now());
  assert.deepEqual(sent, [], "their own messages have time to come");
  await sweep(jobs, queue, later);
  const expected = [waiting, queued].map(({ id }) => ({ kind: "fine_tuning_job", project_id, id }));
  assert.deepEqual(sent, expected);
  await sweep(jobs, queue, later);
  assert.deepEqual(sent, expected, "not again at once");
});

test("a worker that takes a row while the sweeper sends it is missed when its lease runs out, not later", async () => {
  const { jobs } = cloud.stores;
  const job = await store();
  const later = Date.now() + 31_000;
  const lease = newLease(60);
  const send = async (_kind: MessageKind, { id }: RowName) =>
    void (id === job.id && assert.ok(await jobs.acquire(job, lease)));
  await sweep(jobs, { send }, later);
  const due = (await jobs.overdue(lease.expires_at, 100)).map(({ id }) => id);
  assert.ok(due.includes(job.id));
});

test("a worker that falls silent right after a change of state is missed when its lease runs out, not later", async () => {
  const { jobs } = cloud.stores;
  const job = await store({ status: "queued" });
  const lease = newLease(5);
  assert.ok(await jobs.acquire(job, lease));
  assert.ok(await jobs.transition(job, "running", event, { attempt: lease.attempt_id }));
  const overdue = async (time: number) => (await jobs.overdue(time, 100)).some(({ id }) => id === job.id);
  assert.deepEqual([await overdue(lease.expires_at - 1), await overdue(lease.expires_at)], [false, true]);
});
