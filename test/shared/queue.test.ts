/** Which queue a message goes to, and which line a row stands in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Message, type MessageKind } from "../../shared/messages.ts";
import { createQueue, type QueueUrls } from "../../shared/queue.ts";
import type { Method } from "../../shared/schemas/fineTuningJob.ts";

const urls = { queueUrl: "jobs", answerQueueUrl: "answers", deadLetterQueueUrl: "dead" };
const parted = { ...urls, lightQueueUrl: "light" };

const supervised: Method = { type: "supervised" };
const work = (model: string, method: Method = supervised) => ({ project_id: "proj_1", id: "1", model, method });
const heavy = work("millrace-auto");

async function sending(names: QueueUrls, kind: MessageKind, row = heavy) {
  const sent: SendMessageCommand["input"][] = [];
  const sqs = { send: async ({ input }: SendMessageCommand) => void sent.push(input) };
  const queue = createQueue(sqs as unknown as SQSClient, names);
  await queue.send(kind, row);
  const [{ QueueUrl, MessageGroupId, MessageBody }] = sent as [SendMessageCommand["input"]];
  assert.equal(queue.lineOf(kind, row), QueueUrl, "who waits is told of the line that it waits in");
  assert.deepEqual(JSON.parse(MessageBody!), { kind, project_id: "proj_1", id: "1" }, "ids alone travel");
  return { url: QueueUrl!, group: MessageGroupId! };
}

async function sortedBy(names: QueueUrls): Promise<Record<string, MessageKind[]>> {
  const kinds: Record<string, MessageKind[]> = {};
  for (const kind of Message.shape.kind.options) {
    const { url } = await sending(names, kind);
    kinds[url] = [...(kinds[url] ?? []), kind];
  }
  return kinds;
}

test("what needs no GPU has a queue of its own where there is one, and wakes nobody who has one", async () => {
  const { jobs, answers, light, ...others } = await sortedBy(parted);
  assert.deepEqual(jobs, ["fine_tuning_job", "batch", "eval_run"]);
  assert.deepEqual(answers, ["answer"]);
  assert.equal(light!.length, Message.shape.kind.options.length - 4);
  assert.deepEqual(others, {});
});

test("without one, only what is done soon goes before the trainings", async () => {
  const { jobs, answers, ...others } = await sortedBy(urls);
  assert.deepEqual(answers, ["answer", "webhook_event", "webhook_endpoint"]);
  assert.equal(jobs!.length, Message.shape.kind.options.length - 3);
  assert.deepEqual(others, {});
});

const distil = (teacher: string): Method => ({ type: "distill", distill: { teacher } });
const trainings: [what: string, row: typeof heavy, queue: "jobs" | "light"][] = [
  ["n-grams", work("millrace-ngram"), "light"],
  ["tables", work("millrace-tabular"), "light"],
  ["a transformer from nothing", work("millrace-encoder-tiny"), "jobs"],
  ["a race, which may end in an adapter", heavy, "jobs"],
  ["an adapter on a shipped base", work("millrace-embed-en"), "jobs"],
  ["an adapter on an imported base", work("acme/ngram-tabular"), "jobs"],
  ["an adapter on a base of the project's own", work("ft:millrace-embed-en:acme::1"), "jobs"],
  ["pre-training", work("millrace-embed-en", { type: "pretrain" }), "jobs"],
  ["n-grams taught by n-grams", work("millrace-ngram", distil("ft:millrace-ngram:acme::1")), "light"],
  ["n-grams taught by an adapter", work("millrace-ngram", distil("ft:millrace-embed-en:acme::1")), "jobs"],
  ["n-grams taught by a race's winner", work("millrace-ngram", distil("ft:millrace-auto:acme::1")), "jobs"],
  ["an adapter taught by n-grams", work("millrace-embed-en", distil("ft:millrace-ngram:acme::1")), "jobs"],
];
for (const [what, row, queue] of trainings) {
  test(`a training of ${what} goes to ${queue}`, async () => {
    assert.equal((await sending(parted, "fine_tuning_job", row)).url, queue);
    assert.equal((await sending(urls, "fine_tuning_job", row)).url, "jobs");
  });
}

test("webhooks are a customer of their own in the queue that trainings are in, too", async () => {
  const light = work("millrace-ngram");
  const [training, event] = [await sending(parted, "fine_tuning_job", light), await sending(parted, "webhook_event")];
  assert.equal(training.url, event.url);
  assert.notEqual(training.group, event.group);
  assert.ok(event.group.startsWith("proj_1"));
});
