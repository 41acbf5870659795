/** Which queue a message goes to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Message, type MessageKind } from "../../shared/messages.ts";
import { createQueue, type QueueUrls } from "../../shared/queue.ts";

const urls = { queueUrl: "jobs", answerQueueUrl: "answers", deadLetterQueueUrl: "dead" };

async function sortedBy(names: QueueUrls): Promise<Record<string, MessageKind[]>> {
  const kinds: Record<string, MessageKind[]> = {};
  let kind: MessageKind;
  const send = async ({ input }: SendMessageCommand) => {
    const url = input.QueueUrl!;
    kinds[url] = [...(kinds[url] ?? []), kind];
  };
  const queue = createQueue({ send } as unknown as SQSClient, names);
  for (kind of Message.shape.kind.options) await queue.send({ kind, project_id: "proj_1", id: "1" });
  return kinds;
}

test("what needs no GPU has a queue of its own where there is one, and wakes nobody who has one", async () => {
  const { jobs, answers, light, ...others } = await sortedBy({ ...urls, lightQueueUrl: "light" });
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
