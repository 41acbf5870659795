/** What shows a secret, or is numbered, is made once though the API dies when it is made and nobody was told. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { keyHash } from "../../shared/stores/apiKeyRows.ts";
import { hintOf } from "../../shared/webhooks/signature.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { type Gate, startGate } from "../support/gate.ts";
import { type ServerProcess, startServer } from "../support/serverProcess.ts";
import { jsonl, rowsOf } from "../support/trainingData.ts";

let cloud: Cloud;
let gate: Gate;
let tenant: Tenant;
let server: ServerProcess;
const start = () =>
  startServer({ ...cloud.environment, AWS_ENDPOINT_URL_DYNAMODB: gate.url, MILLRACE_WEBHOOK_LOCAL: "true" });
before(async () => {
  cloud = await openCloud();
  gate = await startGate(cloud.environment.AWS_ENDPOINT_URL_DYNAMODB!);
  tenant = await createTenant(cloud.stores, "dying");
  server = await start();
});
after(async () => {
  await server?.stop("SIGKILL");
  await gate.close();
  await cloud.close();
});

interface Made {
  id: string;
  signing_secret?: string;
  api_key?: { id: string; value: string };
  version?: number;
}

async function post(path: string, body: object, { key = tenant.key, once = "" } = {}): Promise<Made> {
  const response = await fetch(`${server.baseURL}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${key}`,
      ...(once && { "idempotency-key": once }),
    },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return (await response.json()) as Made;
}

/** The write by which the answer would be known to whoever asks again. */
const keeping = (once: string) => {
  const name = createHash("sha256").update(once).digest("hex");
  return ({ body }: { body: string }) => body.includes(name) && body.includes("content-type");
};

test("a service account, a webhook endpoint, its next secret, a dataset version and a label queue", async () => {
  const { project, adminKey } = tenant;
  const { stores } = cloud;
  const form = new FormData();
  form.append("purpose", "fine-tune");
  form.append("file", new Blob([jsonl(rowsOf(3))]), "rows.jsonl");
  const headers = { authorization: `Bearer ${tenant.key}` };
  const uploaded = await fetch(`${server.baseURL}/files`, { method: "POST", headers, body: form });
  const { id: file_id } = (await uploaded.json()) as { id: string };
  const event_types = ["fine_tuning.job.succeeded"];
  const endpoint = { name: "mine", url: "http://127.0.0.1:9/hook", event_types };
  const older = await post("/webhook_endpoints", endpoint);
  const before = (await stores.webhookEndpoints.get(project.id, older.id))!;

  const source = { type: "inferences" };
  const asked: Record<string, [path: string, body: object, key?: string]> = {
    account: [`/organization/projects/${project.id}/service_accounts`, { name: "robot" }, adminKey],
    endpoint: ["/webhook_endpoints", { ...endpoint, name: "other" }],
    rotation: [`/webhook_endpoints/${older.id}/rotate_secret`, { keep_old_secret_active_for_24_hours: true }],
    version: ["/datasets/mails/versions", { sources: [{ type: "file", file_id }] }],
    queue: ["/label_queues", { source, strategy: "diversity" }],
  };
  const ask = (once: string) => {
    const [path, body, key = tenant.key] = asked[once]!;
    return post(path, body, { key, once });
  };
  const names = Object.keys(asked);
  const held = names.map((once) => gate.hold(keeping(once)));
  const unheard = Promise.allSettled(names.map(ask));
  await Promise.all(held);
  await server.stop("SIGKILL");
  for (const { status } of await unheard) assert.equal(status, "rejected");

  server = await start();
  const [account, made, rotated, version, queue] = (await Promise.all(names.map(ask))) as [
    Made,
    Made,
    Made,
    Made,
    Made,
  ];
  const accounts = await stores.members.list(project.id, "service_account", { limit: 10 });
  assert.deepEqual(
    accounts.map(({ id }) => id),
    [account.id],
  );
  const keys = (await stores.apiKeys.list(project.id, { limit: 10 })).filter(({ owner_id }) => owner_id === account.id);
  assert.deepEqual(
    keys.map(({ id, hash }) => [id, hash]),
    [[account.api_key!.id, keyHash(account.api_key!.value)]],
  );
  const endpoints = await stores.webhookEndpoints.list(project.id, { limit: 10 });
  assert.deepEqual(endpoints.map(({ id }) => id).sort(), [older.id, made.id].sort());
  const rows = new Map(endpoints.map((row) => [row.id, row]));
  assert.equal(rows.get(made.id)!.secrets.length, 1);
  assert.equal(rows.get(made.id)!.signing_secret_hint, hintOf(made.signing_secret!));
  const { secrets, signing_secret_hint } = rows.get(older.id)!;
  assert.equal(signing_secret_hint, hintOf(rotated.signing_secret!));
  assert.deepEqual(
    secrets.slice(1).map(({ sealed }) => sealed),
    before.secrets.map(({ sealed }) => sealed),
    "the secret that receivers know goes on beside the new one, and no other",
  );
  const versions = await stores.datasets.versionsOf(project.id, "mails", { limit: 10 });
  assert.deepEqual(
    versions.map(({ id, version: number }) => [id, number]),
    [[version.id, 1]],
  );
  const queues = await stores.labelQueues.list(project.id, { limit: 10 });
  assert.deepEqual(
    queues.map(({ id }) => id),
    [queue.id],
  );
});
