/** Dead-letter queues from the operator's side: who feeds one, and moving its messages back. */
import { randomUUID } from "node:crypto";
import type { Call } from "../awsJson.ts";
import type { Broker } from "./broker.ts";
import { invalidValue, sqsError } from "./errors.ts";
import { parseRedrivePolicy, type QueueAttributes } from "./queueAttributes.ts";
import { findQueue, queueArn, queueNameOf } from "./queues.ts";

function sourcesOf({ database }: Broker, name: string): string[] {
  return database.sql.all`select name, attributes from queues order by name`
    .filter((row) => {
      const attributes: QueueAttributes = JSON.parse(String(row.attributes));
      return parseRedrivePolicy(attributes.RedrivePolicy)?.deadLetterTargetArn === queueArn(name);
    })
    .map((row) => String(row.name));
}

export function listDeadLetterSourceQueues(broker: Broker, call: Call): { queueUrls: string[] } {
  const url = String(call.input.QueueUrl);
  const sources = sourcesOf(broker, findQueue(broker, url).name);
  return { queueUrls: sources.map((name) => `${url.slice(0, url.lastIndexOf("/"))}/${name}`) };
}

/** Moves everything that is not in flight, at once; on AWS the task runs on after the answer. */
export function startMessageMoveTask(broker: Broker, { input }: Call): { TaskHandle: string } {
  const { database, now, polls } = broker;
  const { name } = findQueue(broker, queueNameOf(String(input.SourceArn)));
  const sources = sourcesOf(broker, name);
  if (!sources.length) throw invalidValue("Source queue must be configured as a Dead Letter Queue.");
  const destination = input.DestinationArn ? findQueue(broker, queueNameOf(String(input.DestinationArn))).name : "";
  database.transaction(() => {
    const rows = database.sql.all`
      select sequence, source from messages where queue = ${name} and visible <= ${now()} order by sequence`;
    for (const row of rows) {
      const target = destination || queueNameOf(String(row.source ?? ""));
      if (!target) throw sqsError("ResourceNotFoundException", "A message has no source queue to be moved back to.");
      database.sql.run`
        update messages set queue = ${target}, receipt = null, receives = 0, visible = ${now()}, source = null
        where sequence = ${Number(row.sequence)}`;
    }
  });
  for (const target of destination ? [destination] : sources) polls.wake(target);
  return { TaskHandle: randomUUID() };
}
