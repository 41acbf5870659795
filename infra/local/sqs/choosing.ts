/** Which waiting messages a receive gets next: the three orders of standard, fair and FIFO queues. */
import type { Broker } from "./broker.ts";
import type { Queue } from "./queues.ts";

export type MessageRow = {
  sequence: number;
  id: string;
  body: string;
  /** JSON of message attributes. */
  attributes: string;
  message_group: string | null;
  deduplication: string | null;
  sent: number;
  receives: number;
  first_received: number | null;
  source: string | null;
};

type Choice = { queue: string; now: number; oldest: number; limit: number };

/** The longest visible first. */
function chooseStandard({ database }: Broker, { queue, now, oldest, limit }: Choice): unknown[] {
  return database.sql.all`
    select * from messages where queue = ${queue} and visible <= ${now} and sent >= ${oldest}
    order by visible, sequence limit ${limit}`;
}

/**
 * A fair queue: a message's turn is its place in its group, counted after the group's messages in flight. So whoever has
 * least under way goes first, and a group of a thousand does not delay a group of one. No group is a group too.
 */
function chooseFair({ database }: Broker, { queue, now, oldest, limit }: Choice): unknown[] {
  return database.sql.all`
    with ranked as (
      select sequence, visible, row_number() over (
        partition by message_group order by visible > ${now} desc, visible, sequence) as turn
      from messages where queue = ${queue} and iif(visible > ${now}, receipt is not null, sent >= ${oldest})
    ), chosen as (
      select * from ranked where visible <= ${now} order by turn, visible, sequence limit ${limit}
    )
    select messages.* from chosen join messages using (sequence) order by turn, chosen.visible, sequence`;
}

/** Strictly in order; a group with a message in flight waits. */
function chooseFifo({ database }: Broker, { queue, now, oldest, limit }: Choice): unknown[] {
  return database.sql.all`
    select * from messages where queue = ${queue} and visible <= ${now} and sent >= ${oldest}
      and message_group not in (
        select message_group from messages where queue = ${queue} and visible > ${now} and receipt is not null)
    order by sequence limit ${limit}`;
}

function hasGroups({ database }: Broker, queue: string): boolean {
  return Boolean(database.sql.get`select 1 from messages where queue = ${queue} and message_group is not null limit 1`);
}

/** Messages past the retention period are passed over, also before the sweep deletes them. */
export function chooseMessages(broker: Broker, queue: Queue, limit: number): MessageRow[] {
  const now = broker.now();
  const oldest = now - 1000 * Number(queue.attributes.MessageRetentionPeriod);
  const choice = { queue: queue.name, now, oldest, limit };
  if (queue.fifo) return chooseFifo(broker, choice) as MessageRow[];
  return (hasGroups(broker, queue.name) ? chooseFair : chooseStandard)(broker, choice) as MessageRow[];
}
