/** Which waiting messages a receive gets next: the three orders of standard, fair and FIFO queues. */
import { type Broker, recentMinute } from "./broker.ts";
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
 * A fair queue, with the measures of AWS: a group is noisy that has more than a tenth of the recent processing time, or 30
 * messages in flight that are more than a tenth of all. Quiet groups go first; among equals a message's turn is its place
 * in its group, counted after the group's messages in flight, and then whoever was worked for least goes first. So a
 * group of a thousand does not delay a group of one, with one consumer, too. What has no group is a group of its own.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
 */
function chooseFair({ database }: Broker, { queue, now, oldest, limit }: Choice): unknown[] {
  return database.sql.all`
    with busy as (
      select message_group, sum(milliseconds) as spent from (
        select message_group, milliseconds from processing where queue = ${queue} and minute > ${recentMinute(now)}
        union all
        select message_group, ${now} - cast(substr(receipt, instr(receipt, '.') + 1) as integer)
        from messages where queue = ${queue} and visible > ${now} and receipt is not null
      ) group by message_group
    ), ranked as (
      select sequence, visible, message_group, sum(visible > ${now}) over own as in_flight, row_number() over (
        partition by coalesce(message_group, sequence) order by visible > ${now} desc, visible, sequence) as turn
      from messages where queue = ${queue} and iif(visible > ${now}, receipt is not null, sent >= ${oldest})
      window own as (partition by coalesce(message_group, sequence))
    ), chosen as (
      select ranked.*, coalesce(spent, 0) as spent,
        coalesce(spent, 0) * 10 > (select sum(spent) from busy)
          or (in_flight >= 30 and in_flight * 10 > (select sum(visible > ${now}) from ranked)) as noisy
      from ranked left join busy using (message_group) where visible <= ${now}
      order by noisy, turn, spent, visible, sequence limit ${limit}
    )
    select messages.* from chosen join messages using (sequence)
    order by noisy, turn, spent, chosen.visible, sequence`;
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
