/** Workers killed while they deliver: every event arrives, and an endpoint that takes nothing neither delays others nor fills the queue. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import { addEndpoint, cancelJobs, deliveriesTo } from "../support/webhooks.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
let [good, bad]: Receiver[] = [];
before(async () => {
  [shop, good, bad] = await Promise.all([openWorkshop(), startReceiver(), startReceiver()]);
});
after(() => Promise.all([shop.close(), good!.close(), bad!.close()]));

const impatient = {
  MILLRACE_WEBHOOK_LOCAL: "true",
  MILLRACE_WEBHOOK_TIMEOUT_SECONDS: "1",
  MILLRACE_LEASE_SECONDS: "1",
};

async function queued(): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const asked = new GetQueueAttributesCommand({ QueueUrl: shop.names.answerQueueUrl, AttributeNames: [...names] });
  const { Attributes } = await shop.aws.sqs.send(asked);
  return names.reduce((sum, name) => sum + Number(Attributes![name]), 0);
}

test("every event of an endpoint arrives at least once, by one id, though workers die in the act", async () => {
  const client = shop.client();
  const endpoint = await addEndpoint(client, good!.url);
  const failing = await addEndpoint(client, bad!.url);
  bad!.answer = (response) => void response.writeHead(500).end();
  // The first four are on their way when the worker dies, and nobody answered them.
  good!.answer = () => {};
  const jobs = await cancelJobs(client, 10);
  const first = await shop.work(impatient);
  await until(() => good!.received.length >= 4, { what: "deliveries to be under way" });
  await first.end("SIGKILL");
  const unanswered = new Set(good!.events());
  good!.answer = (response) => void response.writeHead(204).end();

  await shop.work(impatient);
  const log = () => deliveriesTo(client, endpoint);
  // Those on which the first worker had time to give up wait five seconds; the others come as soon as its lease has run out.
  await until(async () => (await log()).filter(({ status }) => status === "succeeded").length === jobs.length, {
    what: "everything to be delivered",
    seconds: 60,
  });
  const told = new Map(good!.received.map(({ body, headers }) => [headers["webhook-id"], JSON.parse(body)]));
  assert.deepEqual([...told.values()].map(({ data }) => data.id).sort(), jobs.sort());
  for (const id of unanswered) assert.ok(good!.events().filter((each) => each === id).length > 1, "came again");
  for (const { id, event } of await log()) assert.equal(told.get(event.id)?.id, event.id, id);
  for (const { body, headers } of good!.received) {
    await client.webhooks.unwrap(body, headers as Record<string, string>, endpoint.signing_secret);
  }

  const refused = await deliveriesTo(client, failing);
  assert.equal(refused.length, jobs.length);
  for (const { status, attempts } of refused) assert.ok(status === "pending" && attempts.length <= 3);
  // A message for the endpoint at the most, not one for each delivery.
  await until(async () => (await queued()) <= 1, { what: "the queue to be empty" });
});
