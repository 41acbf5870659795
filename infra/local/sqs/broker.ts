/** What every SQS operation works on: the database, the waiting long polls, and the clock. */
import { type Database, openDatabase } from "../sqlite.ts";
import { LongPolls } from "./longPolls.ts";

const schema = `
  create table if not exists queues (
    name text primary key,
    attributes text not null,
    tags text not null,
    created integer not null,
    modified integer not null
  ) strict;
  create table if not exists messages (
    sequence integer primary key autoincrement,
    queue text not null,
    id text not null,
    body text not null,
    attributes text not null,
    message_group text,
    deduplication text,
    sent integer not null,
    visible integer not null,
    receipt text,
    receives integer not null default 0,
    first_received integer,
    source text
  ) strict;
  create index if not exists messages_by_visibility on messages (queue, visible, sequence);
  create index if not exists messages_by_group on messages (queue, message_group) where message_group is not null;
  create index if not exists messages_by_receipt on messages (receipt) where receipt is not null;
  create table if not exists deduplications (
    queue text not null,
    token text not null,
    id text not null,
    sequence integer not null,
    sent integer not null,
    primary key (queue, token)
  ) strict;
  create table if not exists processing (
    queue text not null,
    message_group text not null,
    minute integer not null,
    milliseconds integer not null,
    primary key (queue, message_group, minute)
  ) strict, without rowid;
`;

export type Broker = {
  database: Database;
  polls: LongPolls;
  /** Milliseconds since the epoch. */
  now: () => number;
};

export function openBroker(file: string, now: () => number): Broker {
  return { database: openDatabase(file, schema), polls: new LongPolls(), now };
}

/** Deletes messages older than their queue's retention period, and deduplication records past their five minutes. */
export function sweepExpired({ database, now }: Broker): void {
  const { sql } = database;
  sql.run`
    delete from messages where sequence in (
      select sequence from messages join queues on queues.name = messages.queue
      where sent < ${now()} - 1000 * cast(json_extract(queues.attributes, '$.MessageRetentionPeriod') as integer))`;
  sql.run`delete from deduplications where sent < ${now() - deduplicationMilliseconds}`;
  sql.run`delete from processing where minute <= ${recentMinute(now())}`;
}

export const deduplicationMilliseconds = 300_000;

const minuteMilliseconds = 60_000;
/** What fairness takes into account of the time that consumers were at work. */
const recentMinutes = 5;

/** The last that is not recent any more. */
export const recentMinute = (now: number) => Math.floor(now / minuteMilliseconds) - recentMinutes;

/** A message is done with, or given back: its group was worked for since `received`. */
export function recordProcessing({ database, now }: Broker, queue: string, group: string, received: number): void {
  const spent = Math.min(Math.max(1, now() - received), recentMinutes * minuteMilliseconds);
  database.sql.run`
    insert into processing values (${queue}, ${group}, ${Math.floor(now() / minuteMilliseconds)}, ${spent})
    on conflict do update set milliseconds = milliseconds + excluded.milliseconds`;
}
