/** Webhook endpoints: made, changed and tried out by the SDK; a secret is told once and then nowhere. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type OpenAI from "openai";
import { createWebhookEndpointService } from "../../../api/services/webhookEndpoints.ts";
import { mostEndpoints, type WebhookEndpoint } from "../../../shared/schemas/webhookEndpoint.ts";
import { createSealer } from "../../../shared/webhooks/sealer.ts";
import { createSender } from "../../../shared/webhooks/sender.ts";
import { type Deployment, deploy, secretKey } from "../../support/deployment.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";
import { sdks } from "../../support/sdks.ts";
import { addEndpoint } from "../../support/webhooks.ts";

let deployment: Deployment;
let client: OpenAI;
let receiver: Receiver;
before(async () => {
  deployment = await deploy();
  client = deployment.client();
  receiver = await startReceiver();
});
beforeEach(() => {
  receiver.received.length = 0;
});
after(() => Promise.all([deployment.close(), receiver.close()]));

const event_type = "batch.completed" as const;
const rowOf = async (id: string) => (await deployment.stores.webhookEndpoints.get(deployment.a.project.id, id))!;

test("the SDK makes, lists, changes and deletes them", async () => {
  const { signing_secret, ...made } = await client.webhooks.create({
    name: "mine",
    url: `${receiver.url}/hooks`,
    event_types: [event_type, "eval.run.failed", event_type],
  });
  assert.match(signing_secret, /^whsec_.{44}$/);
  assert.deepEqual(made.event_types, [event_type, "eval.run.failed"]);
  assert.equal(made.signing_secret_hint, `whsec_…${signing_secret.slice(-4)}`);
  assert.deepEqual(await client.webhooks.retrieve(made.id), made);
  const other = await addEndpoint(client, receiver.url);
  const listed: string[] = [];
  for await (const { id } of client.webhooks.list({ limit: 1 })) listed.push(id);
  assert.deepEqual(listed, [other.id, made.id]);
  const changed = await client.webhooks.update(made.id, { name: "yours", event_types: ["batch.failed"] });
  assert.deepEqual([changed.name, changed.event_types, changed.url], ["yours", ["batch.failed"], made.url]);
  assert.ok((await client.webhooks.eventTypes.list()).data.includes("millrace.dataset_version.ready"));
  assert.equal((await client.webhooks.delete(made.id)).deleted, true);
  await assert.rejects(client.webhooks.retrieve(made.id), { status: 404 });
  await client.webhooks.delete(other.id);
});

test("a secret is told when it is made and never again, and lies in the table sealed", async () => {
  const { signing_secret, id } = await addEndpoint(client, receiver.url);
  const key = signing_secret.slice("whsec_".length);
  const told = [await client.webhooks.retrieve(id), await client.webhooks.list(), await client.webhooks.update(id, {})];
  for (const text of [...told, await rowOf(id)].map((one) => JSON.stringify(one))) assert.ok(!text.includes(key));
  assert.ok(!JSON.stringify(told).includes("sealed"));
  const sealed = (await rowOf(id)).secrets[0]!.sealed;
  const opened = createSealer([secretKey]).open(sealed, `webhook:${deployment.a.project.id}:${id}`);
  assert.equal(opened, signing_secret);
  await client.webhooks.delete(id);
});

test("a sample arrives signed, so that both SDKs unwrap it", async () => {
  const { id, signing_secret } = await addEndpoint(client, receiver.url);
  const result = await client.webhooks.test(id, { event_type });
  assert.deepEqual(result, {
    ...{ object: "webhook_endpoint.test", webhook_endpoint_id: id, event_type, success: true, status_code: 204 },
  });
  const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
  for (const [version, Sdk] of Object.entries(sdks)) {
    const given = headers as Record<string, string>;
    const event = await new Sdk({ apiKey: "none" }).webhooks.unwrap(body, given, signing_secret);
    assert.equal(event.type, event_type, version);
    assert.equal(event.id, headers["webhook-id"]);
  }
  receiver.answer = (response) => void response.writeHead(500).end();
  assert.equal((await client.webhooks.test(id, { event_type })).status_code, 500);
  const closed = await startReceiver();
  await closed.close();
  await client.webhooks.update(id, { url: closed.url });
  await assert.rejects(client.webhooks.test(id, { event_type }), { status: 409, message: /ECONNREFUSED/ });
  await client.webhooks.delete(id);
});

test("after a rotation with overlap both secrets verify, after one without only the new", async () => {
  const { id, signing_secret: first } = await addEndpoint(client, receiver.url);
  const verifies = async (secret: string) => {
    receiver.received.length = 0;
    await client.webhooks.test(id, { event_type });
    const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
    return client.webhooks.unwrap(body, headers as Record<string, string>, secret).then(
      () => true,
      () => false,
    );
  };
  const keep = { keep_old_secret_active_for_24_hours: true };
  const second = (await client.webhooks.rotateSecret(id, keep)).signing_secret;
  assert.deepEqual([await verifies(first), await verifies(second)], [true, true]);
  const [, earlier] = (await rowOf(id)).secrets;
  assert.ok(Math.abs(earlier!.expires_at! - (Date.now() / 1000 + 86400)) < 60);
  const third = (await client.webhooks.rotateSecret(id)).signing_secret;
  assert.deepEqual([await verifies(first), await verifies(second), await verifies(third)], [false, false, true]);
  // Whose time has passed signs no more, though it lies there still.
  await client.webhooks.rotateSecret(id, keep);
  const row = await rowOf(id);
  const past = row.secrets.map((secret, i) => (i === 0 ? secret : { ...secret, expires_at: 1 }));
  await deployment.stores.webhookEndpoints.change(row, { secrets: past });
  assert.equal(await verifies(third), false);
  await client.webhooks.delete(id);
});

test("without the operator's switch an endpoint lies on the public internet, whoever spells its address how", async () => {
  const sender = createSender({ timeoutMilliseconds: 1000, local: false });
  const strict = createWebhookEndpointService(deployment.stores, {
    ...{ sealer: createSealer([secretKey]), sender, local: false },
  });
  const event_types = [event_type];
  const anew = { idempotencyKey: undefined, retryCount: 0 };
  const create = (url: string) => strict.create(deployment.a.project, { name: "x", url, event_types }, anew);
  const fault = { code: "invalid_value", param: "url" };
  const hosts = ["127.0.0.1", "2130706433", "0x7f.1", "0177.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[fe80::1]"];
  for (const host of hosts) await assert.rejects(create(`https://${host}/`), fault, host);
  for (const url of ["http://example.com/", "https://a:b@example.com/", "https://example.com:22/", "x"]) {
    await assert.rejects(create(url), fault, url);
  }
  const made = await create("https://hooks.example.com/");
  const move = strict.update(deployment.a.project, made.id, { url: "https://10.0.0.1/" });
  await assert.rejects(move, fault);
  await strict.delete(deployment.a.project, made.id);
});

test("what cannot be is refused by name", async () => {
  const create = (body: object) => client.post("/webhook_endpoints", { body });
  const fine = { name: "x", url: receiver.url, event_types: [event_type] };
  await assert.rejects(create({ ...fine, event_types: [] }), { status: 400, param: "event_types" });
  await assert.rejects(create({ ...fine, event_types: ["video.completed"] }), { status: 400, param: "event_types[0]" });
  await assert.rejects(create({ ...fine, url: "ftp://x" }), { status: 400, param: "url" });
  await assert.rejects(create({ ...fine, secret: "mine" }), { status: 400, param: "secret" });
  const made = await Promise.all(Array.from({ length: mostEndpoints }, () => addEndpoint(client, receiver.url)));
  await assert.rejects(create(fine), { status: 409 });
  await Promise.all(made.map(({ id }) => client.webhooks.delete(id)));
});

test("disabled and enabled again by request", async () => {
  const { id } = await addEndpoint(client, receiver.url);
  const turn = (status: string) => client.post<WebhookEndpoint>(`/webhook_endpoints/${id}`, { body: { status } });
  const off = await turn("disabled");
  assert.deepEqual([off.status, off.disabled_reason], ["disabled", "by_request"]);
  const on = await turn("enabled");
  assert.deepEqual([on.status, on.disabled_reason], ["enabled", null]);
  await client.webhooks.delete(id);
});
