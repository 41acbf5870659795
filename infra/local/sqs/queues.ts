/** Operations on whole queues. A queue is found by the last part of its URL, whatever port an older URL names. */
import type { Call } from "../awsJson.ts";
import { localAccount, localRegion } from "../credentials.ts";
import { type Broker, sweepExpired } from "./broker.ts";
import { invalidValue, sqsError } from "./errors.ts";
import {
  checkQueueAttributes,
  checkQueueName,
  mergeQueueAttributes,
  parseRedrivePolicy,
  type QueueAttributes,
} from "./queueAttributes.ts";

export type Queue = {
  name: string;
  fifo: boolean;
  attributes: QueueAttributes;
  /** Seconds since the epoch. */
  created: number;
  modified: number;
};

export function queueArn(name: string): string {
  return `arn:aws:sqs:${localRegion}:${localAccount}:${name}`;
}

export function queueNameOf(arn: string): string {
  return arn.split(":").at(-1) ?? "";
}

function queueUrl(call: Call, name: string): string {
  return `${call.origin}/${localAccount}/${name}`;
}

/** Undefined when there is none of that name. */
export function lookUpQueue({ database }: Broker, name: string): Queue | undefined {
  const row = database.sql.get`select * from queues where name = ${name}`;
  if (!row) return undefined;
  const attributes: QueueAttributes = JSON.parse(String(row.attributes));
  return {
    name,
    fifo: attributes.FifoQueue === "true",
    attributes,
    created: Number(row.created),
    modified: Number(row.modified),
  };
}

/** By URL or bare name. Throws QueueDoesNotExist. */
export function findQueue(broker: Broker, urlOrName: string): Queue {
  const queue = lookUpQueue(broker, String(urlOrName).split("/").at(-1) ?? "");
  if (!queue) throw sqsError("QueueDoesNotExist", "The specified queue does not exist.");
  return queue;
}

function checkRedriveTarget(broker: Broker, name: string, attributes: QueueAttributes): void {
  const policy = parseRedrivePolicy(attributes.RedrivePolicy);
  if (!policy) return;
  const target = lookUpQueue(broker, queueNameOf(policy.deadLetterTargetArn));
  if (!target) throw invalidValue(`The dead-letter queue ${policy.deadLetterTargetArn} of ${name} does not exist.`);
  if (target.fifo !== (attributes.FifoQueue === "true")) {
    throw invalidValue("A dead-letter queue must be of the same type as its source queue.");
  }
}

type CreateQueueInput = { QueueName: string; Attributes?: QueueAttributes; tags?: Record<string, string> };

export function createQueue(broker: Broker, call: Call): { QueueUrl: string } {
  const { QueueName, Attributes = {}, tags = {} } = call.input as CreateQueueInput;
  checkQueueAttributes(Attributes);
  checkQueueName(QueueName, Attributes);
  checkRedriveTarget(broker, QueueName, Attributes);
  const existing = lookUpQueue(broker, QueueName);
  const conflict = existing && Object.keys(Attributes).find((name) => existing.attributes[name] !== Attributes[name]);
  if (conflict) {
    throw sqsError(
      "QueueNameExists",
      `A queue already exists with the same name and a different value for attribute ${conflict}`,
    );
  }
  if (!existing) {
    const seconds = Math.floor(broker.now() / 1000);
    const attributes = JSON.stringify(mergeQueueAttributes(Attributes));
    broker.database.sql.run`
      insert into queues (name, attributes, tags, created, modified)
      values (${QueueName}, ${attributes}, ${JSON.stringify(tags)}, ${seconds}, ${seconds})`;
  }
  return { QueueUrl: queueUrl(call, QueueName) };
}

export function getQueueUrl(broker: Broker, call: Call): { QueueUrl: string } {
  return { QueueUrl: queueUrl(call, findQueue(broker, String(call.input.QueueName)).name) };
}

/** All of them in one answer: this server does not page. */
export function listQueues({ database }: Broker, call: Call): { QueueUrls: string[] } {
  const prefix = String(call.input.QueueNamePrefix ?? "");
  const names = database.sql.all`select name from queues order by name`.map((row) => String(row.name));
  return { QueueUrls: names.filter((name) => name.startsWith(prefix)).map((name) => queueUrl(call, name)) };
}

/** Takes effect at once; on AWS it may take a minute. */
export function deleteQueue(broker: Broker, { input }: Call): void {
  const { name } = findQueue(broker, String(input.QueueUrl));
  const { sql } = broker.database;
  broker.database.transaction(() => {
    sql.run`delete from messages where queue = ${name}`;
    sql.run`delete from deduplications where queue = ${name}`;
    sql.run`delete from queues where name = ${name}`;
  });
  broker.polls.wake(name);
}

export function purgeQueue(broker: Broker, { input }: Call): void {
  broker.database.sql.run`delete from messages where queue = ${findQueue(broker, String(input.QueueUrl)).name}`;
}

export function setQueueAttributes(broker: Broker, { input }: Call): void {
  const { name, attributes } = findQueue(broker, String(input.QueueUrl));
  const given = (input.Attributes ?? {}) as QueueAttributes;
  checkQueueAttributes(given);
  if (given.FifoQueue !== undefined) throw sqsError("InvalidAttributeName", "FifoQueue can be set at creation only.");
  const merged = mergeQueueAttributes(given, attributes);
  checkRedriveTarget(broker, name, merged);
  const seconds = Math.floor(broker.now() / 1000);
  broker.database.sql.run`
    update queues set attributes = ${JSON.stringify(merged)}, modified = ${seconds} where name = ${name}`;
}

function messageCounts({ database, now }: Broker, name: string): QueueAttributes {
  const counts = database.sql.get`
    select count(*) filter (where visible <= ${now()}) as waiting,
      count(*) filter (where visible > ${now()} and receipt is not null) as in_flight,
      count(*) filter (where visible > ${now()} and receipt is null) as delayed
    from messages where queue = ${name}`;
  return {
    ApproximateNumberOfMessages: String(counts?.waiting),
    ApproximateNumberOfMessagesNotVisible: String(counts?.in_flight),
    ApproximateNumberOfMessagesDelayed: String(counts?.delayed),
  };
}

export function getQueueAttributes(broker: Broker, { input }: Call): { Attributes: QueueAttributes } {
  const queue = findQueue(broker, String(input.QueueUrl));
  sweepExpired(broker);
  const all: QueueAttributes = {
    ...queue.attributes,
    ...messageCounts(broker, queue.name),
    QueueArn: queueArn(queue.name),
    CreatedTimestamp: String(queue.created),
    LastModifiedTimestamp: String(queue.modified),
  };
  const wanted = (input.AttributeNames ?? []) as string[];
  if (wanted.includes("All")) return { Attributes: all };
  return { Attributes: Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))) };
}
