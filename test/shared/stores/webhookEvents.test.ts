/** Every end that webhooks tell of writes its event with it: by its name, once, and not where the change was refused. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type IdKind, newId } from "../../../shared/ids.ts";
import { type WebhookEventType, webhookEventTypes } from "../../../shared/schemas/webhookEvent.ts";
import type { Stores } from "../../../shared/stores/stores.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

interface End {
  type: WebhookEventType;
  kind: IdKind;
  from: string;
  to: string;
  /** Of the row and its state to be. */
  create: (stores: Stores, row: never) => Promise<unknown>;
  move: (stores: Stores, row: never, to: never) => Promise<boolean>;
}

const told = { level: "info" as const, message: "" };
const why = { by: "test", reason: "test" };
const nouns: Record<string, Pick<End, "kind" | "from" | "create" | "move">> = {
  "fine_tuning.job": {
    ...{ kind: "job", from: "running" },
    create: ({ jobs }, row) => jobs.create(row, told),
    move: ({ jobs }, row, to) => jobs.transition(row, to, told),
  },
  batch: {
    ...{ kind: "batch", from: "finalizing" },
    create: ({ batches }, row) => batches.create(row),
    move: ({ batches }, row, to) => batches.transition(row, to),
  },
  "eval.run": {
    ...{ kind: "eval_run", from: "in_progress" },
    create: ({ evalRuns }, row) => evalRuns.create(row),
    move: ({ evalRuns }, row, to) => evalRuns.transition(row, to),
  },
  "millrace.dataset_version": {
    ...{ kind: "dataset_version", from: "building" },
    create: ({ datasets }, row) => datasets.add(row, undefined),
    move: ({ datasets }, row, to) => datasets.versions.transition(row, to),
  },
  "millrace.promotion": {
    ...{ kind: "promotion", from: "judging" },
    create: ({ promotions }, row) => promotions.create(row),
    move: ({ promotions }, row, to) => promotions.move(row, to, why),
  },
};
/** Where the state is called otherwise, or is reached from another. */
const renamed: Record<string, string> = { "eval.run.succeeded": "completed" };
const departures: Record<string, string> = {
  "batch.cancelled": "cancelling",
  "millrace.promotion.rolled_back": "canary",
};

const ends = webhookEventTypes.map((type): End => {
  const dot = type.lastIndexOf(".");
  const noun = nouns[type.slice(0, dot)]!;
  return { ...noun, type, from: departures[type] ?? noun.from, to: renamed[type] ?? type.slice(dot + 1) };
});

for (const { type, kind, from, to, create, move } of ends) {
  test(type, async () => {
    const { stores } = cloud;
    const row = { id: newId(kind), project_id: newId("project"), status: from, lease: null, failures: 0 };
    const full = { ...row, history: [], dataset: "d", version: 1, created_at: 1 };
    await create(stores, full as never);
    const events = async () => {
      const all = await stores.webhookEvents.overdue(Date.now(), 1000);
      const own = all.filter(({ project_id }) => project_id === row.project_id);
      return Promise.all(own.map(({ id }) => stores.webhookEvents.pending(row.project_id, id)));
    };
    assert.deepEqual(await events(), []);
    assert.equal(await move(stores, full as never, to as never), true);
    assert.equal(await move(stores, full as never, to as never), false, "it is over already");
    const [event, ...more] = await events();
    assert.deepEqual([event!.type, event!.data, more.length], [type, { id: row.id }, 0]);
  });
}
