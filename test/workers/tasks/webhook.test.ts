/** Events come with what happened and go to whoever wants them; who takes nothing is asked again, and then no more. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type OpenAI from "openai";
import type { WebhookDelivery } from "../../../shared/schemas/webhookDelivery.ts";
import { failingSeconds } from "../../../shared/webhooks/schedule.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";
import { addEndpoint, cancelJobs, createPump, deliveriesTo, type Pump } from "../../support/webhooks.ts";

let deployment: Deployment;
let client: OpenAI;
let pump: Pump;
let [one, two]: Receiver[] = [];

before(async () => {
  deployment = await deploy();
  client = deployment.client();
  pump = createPump(deployment);
  [one, two] = await Promise.all([startReceiver(), startReceiver()]);
});
beforeEach(async () => {
  for await (const { id } of client.webhooks.list()) await client.webhooks.delete(id);
  await pump.run();
  for (const receiver of [one!, two!]) {
    receiver.received.length = 0;
    receiver.answer = (response) => void response.writeHead(204).end();
  }
});
after(() => Promise.all([deployment.close(), one!.close(), two!.close()]));

const rowOf = async ({ id }: { id: string }) => {
  return (await deployment.stores.webhookEndpoints.get(deployment.a.project.id, id))!;
};
const redeliver = (endpoint: { id: string }, { id }: { id: string }) =>
  client.post<WebhookDelivery>(`/webhook_endpoints/${endpoint.id}/deliveries/${id}/redeliver`);
const refuseAll = (status: number, headers = {}) => {
  one!.answer = (response) => void response.writeHead(status, headers).end();
};

test("an event is there with what happened, and not without", async () => {
  const [job] = await cancelJobs(client, 1);
  assert.equal((await pump.pending()).length, 1);
  const row = (await deployment.stores.jobs.get(deployment.a.project.id, job!))!;
  const told = { level: "info" as const, message: "too late" };
  assert.equal(await deployment.stores.jobs.transition(row, "failed", told), false);
  assert.equal((await pump.pending()).length, 1, "nothing happened, and nothing is told");
  await pump.run();
  assert.deepEqual(await pump.pending(), []);
});

test("it goes to every endpoint that wants it, once, with one id; not to others, and not to strangers", async () => {
  const stranger = deployment.client({ apiKey: deployment.keys.b });
  const wanting = await Promise.all([addEndpoint(client, one!.url), addEndpoint(client, one!.url)]);
  const others = [await addEndpoint(client, two!.url, ["batch.failed"])];
  const off = await addEndpoint(client, two!.url);
  await client.post(`/webhook_endpoints/${off.id}`, { body: { status: "disabled" } });
  const theirs = await addEndpoint(stranger, two!.url);
  const [job] = await cancelJobs(client, 1);
  await pump.run();
  await pump.run();
  assert.deepEqual([one!.received.length, two!.received.length], [2, 0]);
  const [id, same] = one!.events();
  assert.equal(id, same);
  for (const endpoint of wanting) {
    const [delivery, ...more] = await deliveriesTo(client, endpoint);
    assert.deepEqual([delivery!.status, delivery!.event.id, more.length], ["succeeded", id, 0]);
    const [{ status_code, error, latency_ms }] = delivery!.attempts as [WebhookDelivery["attempts"][0]];
    assert.deepEqual([status_code, error, latency_ms >= 0], [204, null, true]);
    assert.ok(one!.received.some(({ body }) => body === JSON.stringify(delivery!.event)));
  }
  assert.deepEqual(JSON.parse(one!.received[0]!.body).data, { id: job });
  for (const endpoint of [...others, off]) assert.deepEqual(await deliveriesTo(client, endpoint), []);
  assert.deepEqual(await deliveriesTo(stranger, theirs), []);
  assert.deepEqual(await pump.due(60), [], "nobody looks at them again");
  await stranger.delete(`/webhook_endpoints/${theirs.id}`);
});

test("who refuses is asked again later, by the same id and a new signature; taken once, it is over", async () => {
  const endpoint = await addEndpoint(client, one!.url);
  refuseAll(500);
  await cancelJobs(client, 1);
  await pump.run();
  await pump.run();
  const [failed] = (await deliveriesTo(client, endpoint)) as [WebhookDelivery];
  assert.deepEqual([failed.status, failed.attempts.length], ["pending", 1]);
  assert.equal(failed.attempts[0]!.error, "It answered 500.");
  const wait = failed.next_attempt_at! - failed.attempts[0]!.attempted_at;
  assert.ok(wait >= 3 && wait <= 7, `${wait} s`);
  assert.ok((await rowOf(endpoint)).failing_since !== null);
  assert.deepEqual(await pump.due(8), [endpoint.id], "the sweeper brings somebody then");

  one!.answer = (response) => void response.writeHead(200).end("thanks");
  assert.equal((await redeliver(endpoint, failed)).status, "pending");
  await pump.run();
  const [taken] = (await deliveriesTo(client, endpoint)) as [WebhookDelivery];
  assert.deepEqual([taken.status, taken.attempts.length, taken.next_attempt_at], ["succeeded", 2, null]);
  assert.equal((await rowOf(endpoint)).failing_since, null);
  assert.equal(new Set(one!.events()).size, 1);
  for (const { body, headers } of one!.received) {
    await client.webhooks.unwrap(body, headers as Record<string, string>, endpoint.signing_secret);
  }
  // Asked for by hand it comes once more, with the same id.
  await redeliver(endpoint, taken);
  await pump.run();
  assert.deepEqual([one!.received.length, new Set(one!.events()).size], [3, 1]);
});

test("a receiver says itself when to come again", async () => {
  const endpoint = await addEndpoint(client, one!.url);
  refuseAll(429, { "retry-after": "600" });
  await cancelJobs(client, 1);
  await pump.run();
  const [{ next_attempt_at, attempts }] = (await deliveriesTo(client, endpoint)) as [WebhookDelivery];
  assert.ok(next_attempt_at! - attempts[0]!.attempted_at >= 600);
});

test("who answers 410 is told no more until enabled again, and then what waited comes", async () => {
  const endpoint = await addEndpoint(client, one!.url);
  refuseAll(410);
  await cancelJobs(client, 1);
  await pump.run();
  const gone = await rowOf(endpoint);
  assert.deepEqual([gone.status, gone.disabled_reason, gone.lease], ["disabled", "gone", null]);
  assert.deepEqual(await pump.due(10 ** 6), []);
  const [waiting] = (await deliveriesTo(client, endpoint)) as [WebhookDelivery];
  assert.equal(waiting.status, "pending");
  await assert.rejects(redeliver(endpoint, waiting), { status: 409 });
  await cancelJobs(client, 1);
  await pump.run();
  assert.equal(one!.received.length, 1, "what happened meanwhile is not told");

  one!.answer = (response) => void response.writeHead(204).end();
  await client.post(`/webhook_endpoints/${endpoint.id}`, { body: { status: "enabled" } });
  await redeliver(endpoint, waiting);
  await pump.run();
  assert.deepEqual([one!.received.length, (await deliveriesTo(client, endpoint))[0]!.status], [2, "succeeded"]);
});

test("who took nothing for days is disabled", async () => {
  const endpoint = await addEndpoint(client, one!.url);
  refuseAll(500);
  const ago = (seconds: number) => Math.floor(Date.now() / 1000) - failingSeconds + seconds;
  await deployment.stores.webhookEndpoints.change(await rowOf(endpoint), { failing_since: ago(600) });
  await cancelJobs(client, 1);
  await pump.run();
  assert.equal((await rowOf(endpoint)).status, "enabled");
  await deployment.stores.webhookEndpoints.change(await rowOf(endpoint), { failing_since: ago(-1) });
  await cancelJobs(client, 1);
  await pump.run();
  const { status, disabled_reason } = await client.get<{ status: string; disabled_reason: string }>(
    `/webhook_endpoints/${endpoint.id}`,
  );
  assert.deepEqual([status, disabled_reason], ["disabled", "failing"]);
});

test("one that is slow to answer delays nobody else", async () => {
  const slow = await Promise.all([1, 2].map(() => addEndpoint(client, one!.url)));
  let reached = () => {};
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  // It answers only when the other was told, and would be given up after a second.
  one!.answer = (response) => void isReached.then(() => response.writeHead(204).end());
  two!.answer = (response) => {
    reached();
    response.writeHead(204).end();
  };
  await addEndpoint(client, two!.url);
  await cancelJobs(client, 1);
  await pump.run();
  for (const endpoint of slow) {
    const [{ status, attempts }] = (await deliveriesTo(client, endpoint)) as [WebhookDelivery];
    assert.deepEqual([status, attempts.length], ["succeeded", 1]);
  }
});

test("many events at once all arrive, each once, while two workers look at the endpoint", async () => {
  const endpoint = await addEndpoint(client, one!.url);
  const jobs = await cancelJobs(client, 12);
  const other = createPump(deployment);
  await Promise.all([pump.run(), other.run()]);
  // Of the two, one may have handed over an event when the other's turn had ended.
  await pump.run();
  const told = one!.received.map(({ body }) => JSON.parse(body).data.id as string);
  assert.deepEqual(told.sort(), jobs.sort());
  assert.ok((await deliveriesTo(client, endpoint)).every(({ status }) => status === "succeeded"));
});

test("a worker that goes away leaves what it has not begun, and no lease", async () => {
  const endpoint = await addEndpoint(client, one!.url);
  await cancelJobs(client, 1);
  await pump.run({ shutdown: AbortSignal.abort() });
  assert.deepEqual([one!.received.length, (await rowOf(endpoint)).lease], [0, null]);
  assert.deepEqual(await pump.due(1), [endpoint.id]);
  await pump.run();
  assert.equal(one!.received.length, 1);
});
