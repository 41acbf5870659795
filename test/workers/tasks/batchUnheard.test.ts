/** A part of a batch whose write to the row was done and not heard of still counts, and one that is gone does not hold up the end. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LeasedRows } from "../../../shared/stores/leasedRows.ts";
import { batchesOf, decisionLine } from "../../support/batches.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

const host = fakeHost();
let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ host });
  model = (await addModel(deployment.stores, deployment.a)).id;
});
after(() => deployment.close());

const lines = () => Array.from({ length: 3 }, (_, i) => decisionLine(`r${i}`, model, "spam"));
type Record = LeasedRows<string, never>["record"];

/** A worker that hears nothing of its first write of a part; `also` happens behind that write. */
function deafContext(also: (keys: string[]) => Promise<void> = async () => {}) {
  const context = workerContext(deployment, host);
  const { batches, objects } = context.stores;
  const stored: string[] = [];
  let isDeaf = true;
  const record = (async (row, attempt, changes, writes) => {
    const done = await (batches.record as unknown as Record)(row, attempt, changes, writes);
    if (!("parts" in changes) || !isDeaf) return done;
    isDeaf = false;
    await also(stored);
    throw new Error("The line was cut");
  }) as Record;
  const put: typeof objects.put = (key, ...others) => {
    stored.push(key);
    return objects.put(key, ...others);
  };
  const stores = { ...context.stores, batches: { ...batches, record: record as never }, objects: { ...objects, put } };
  return { ...context, stores };
}

test("a part that was written and not heard of is in the output", async () => {
  const { create, lines: read, client } = batchesOf(deployment);
  const { id } = await create(lines());
  const batch = { id, project_id: deployment.a.project.id };
  const context = deafContext();
  assert.deepEqual(await workOn(context, "batch", batch), { type: "retry", seconds: 2 });
  assert.deepEqual(await workOn(context, "batch", batch), { type: "done" });
  const { status, output_file_id } = await client.batches.retrieve(id);
  assert.equal(status, "completed");
  const found = (await read(output_file_id)).map(({ custom_id }) => custom_id);
  assert.deepEqual(found, ["r0", "r1", "r2"]);
});

test("a batch whose part is gone fails with its cause, and does not try for ever", async () => {
  const { create, client } = batchesOf(deployment);
  const { id } = await create(lines());
  const batch = { id, project_id: deployment.a.project.id };
  const { objects } = deployment.stores;
  const context = deafContext(async (keys) => void (await Promise.all(keys.map((key) => objects.delete(key)))));
  for (const seconds of [2, 4]) assert.deepEqual(await workOn(context, "batch", batch), { type: "retry", seconds });
  assert.equal((await workOn(context, "batch", batch)).type, "buried");
  const { status, errors } = await client.batches.retrieve(id);
  assert.deepEqual([status, errors?.data?.[0]?.code], ["failed", "attempts_exhausted"]);
});
