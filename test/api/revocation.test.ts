/** What one process took back another refuses within five seconds, however busy it was with it a moment ago. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import OpenAI from "openai";
import type { CreatedProjectApiKey } from "../../shared/schemas/apiKey.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { make } from "../support/organizations.ts";
import { addModel } from "../support/records.ts";
import { type ServerProcess, startServer } from "../support/serverProcess.ts";

const promisedMilliseconds = 5000;

let here: Deployment;
let there: ServerProcess;
before(async () => {
  here = await deploy();
  there = await startServer(here.environment);
});
after(async () => {
  await there.stop();
  await here.close();
});

/** A project with a key, and a client of the other process that has it. */
async function tenant(name: string) {
  const project = (await make(here, "projects", { name })).id;
  const key = await make<CreatedProjectApiKey>(here, `projects/${project}/api_keys`, { name });
  const client = new OpenAI({ apiKey: key.value, baseURL: there.baseURL, maxRetries: 0 });
  return { project, key, client };
}

const statusOf = (ask: () => PromiseLike<unknown>): Promise<number | undefined> =>
  Promise.resolve()
    .then(ask)
    .then(
      () => 200,
      (error: unknown) => (error as { status?: number }).status,
    );

/** Asks all the while; what is asked later than promised after `changed` must be answered as closed. */
async function closedInTime(changed: number, { ask, open, closed }: Asked): Promise<void> {
  for (;;) {
    const asked = performance.now();
    const status = await statusOf(ask);
    if (status === closed) return;
    assert.equal(status, open);
    assert.ok(asked - changed < promisedMilliseconds, "still open when it was promised to be closed");
    await pause(50);
  }
}

test("a revoked, a rotated, a narrowed key, an archived project, an admin key and a permission", async () => {
  const names = ["revoked", "rotated", "narrowed", "archived", "guest"] as const;
  const tenants = await Promise.all(names.map(tenant));
  const [revoked, rotated, narrowed, archived, guest] = tenants as [Tenant, Tenant, Tenant, Tenant, Tenant];
  const { organization } = here.client({ adminAPIKey: here.a.adminKey }).admin;
  const { permissions } = here.client({ adminAPIKey: here.a.adminKey }).fineTuning.checkpoints;
  const second = await organization.adminAPIKeys.create({ name: "second" });
  const admin = new OpenAI({ adminAPIKey: second.value, baseURL: there.baseURL, maxRetries: 0 });
  const model = await addModel(here.stores, here.a, { id: "ft:millrace-ngram:acme:shared:00000001" });
  const permitted = (await permissions.create(model.id, { project_ids: [guest.project] })).data[0]!;

  const files = ({ client }: Tenant, closed: number) => ({ ask: () => client.files.list(), open: 200, closed });
  const asks: Asked[] = [
    ...[files(revoked, 401), files(rotated, 401), files(narrowed, 403), files(archived, 401)],
    { ask: () => admin.admin.organization.projects.list(), open: 200, closed: 401 },
    // Whoever may call it hears that it gives no vectors.
    { ask: () => guest.client.embeddings.create({ model: model.id, input: "x" }), open: 400, closed: 404 },
  ];
  // So that the other process remembers all of them as open.
  for (const { ask, open } of asks) assert.equal(await statusOf(ask), open);

  const { apiKeys } = organization.projects;
  await apiKeys.delete(revoked.key.id, { project_id: revoked.project });
  await make(here, `projects/${rotated.project}/api_keys/${rotated.key.id}/rotate`, { overlap_seconds: 0 });
  await apiKeys.update(narrowed.key.id, { project_id: narrowed.project, scopes: ["inference"] });
  await organization.projects.archive(archived.project);
  await organization.adminAPIKeys.delete(second.id);
  await permissions.delete(permitted.id, { fine_tuned_model_checkpoint: model.id });
  const changed = performance.now();
  await Promise.all(asks.map((asked) => closedInTime(changed, asked)));
});

type Tenant = Awaited<ReturnType<typeof tenant>>;

interface Asked {
  ask: () => PromiseLike<unknown>;
  /** The status of its answer before, and after. */
  open: number;
  closed: number;
}
