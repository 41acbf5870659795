/** Rows that workers work on: every change of state names the state it leaves, and one attempt at a time holds the lease. */
import { newId } from "../ids.ts";
import type { Life } from "../life.ts";
import type { MessageKind } from "../messages.ts";
import type { Lease } from "../schemas/lease.ts";
import type { WebhookEventType } from "../schemas/webhookEvent.ts";
import { settleWrite } from "./budgets.ts";
import {
  type Changes,
  type Condition,
  type QueryOptions,
  type Table,
  type TransactWrite,
  tableSchema,
} from "./table.ts";
import { webhookEventWrite } from "./webhookEvents.ts";

export interface RowName {
  project_id: string;
  id: string;
}

export interface LeasedRow<State extends string> extends RowName {
  status: State;
  lease: Lease | null;
  /** Attempts in a row that ended badly: an error, or a worker that fell silent. */
  failures: number;
}

/** What one kind of row is to its store. */
export interface LeasedNoun<State extends string, Row extends LeasedRow<State>> {
  /** Of the messages that bring a worker to it. */
  kind: MessageKind;
  /** Names the partition behind the project, such as `job`. */
  noun: string;
  parse(item: Record<string, unknown>): Row;
  life: Life<State>;
  /** States that settle what was reserved for a row: it costs nothing any more. */
  settles?: readonly State[];
  /** The events that webhooks tell of its states, each written with the change to that state. */
  tells?: Partial<Record<State, WebhookEventType>>;
}

export interface TransitionOptions<State extends string, Row> {
  changes?: Partial<Row>;
  /** Only if this attempt holds the lease. */
  attempt?: string;
  /** Narrows the states it may leave further than the table of transitions does. */
  from?: readonly State[];
  /** Rows that come to be with this change or not at all, such as the finished model's. */
  writes?: readonly TransactWrite[];
}

export interface LeasedRows<State extends string, Row extends LeasedRow<State>> {
  readonly kind: MessageKind;
  /** Stores the row, and others with it. */
  create(row: Row, writes?: readonly TransactWrite[]): Promise<boolean>;
  get(project: string, id: string): Promise<Row | undefined>;
  list(project: string, options: QueryOptions): Promise<Row[]>;
  /** Moves a row to `to` if it is in a state that may go there. False when it lost the race: somebody else's change stands. */
  transition(row: RowName, to: State, options?: TransitionOptions<State, Row>): Promise<boolean>;
  /**
   * Takes the lease if the row wants work and its lease is still as it was read: free, or left behind by an attempt
   * that let it run out.
   */
  acquire(row: RowName & Pick<Row, "lease">, lease: Lease, changes?: Partial<Row>): Promise<boolean>;
  renew(row: RowName, lease: Lease): Promise<boolean>;
  /** Gives the lease up; a message follows at once or the sweeper sends one. */
  release(row: RowName, attempt: string, changes?: Partial<Row>): Promise<boolean>;
  /** Writes fields, and other rows with them, on behalf of an attempt; false when it no longer holds the lease or all is over. */
  record(row: RowName, attempt: string, changes: Partial<Row>, writes?: readonly TransactWrite[]): Promise<boolean>;
  /** Rows that want a worker and whose last message is overdue, of all projects: for the sweeper alone. */
  overdue(now: number, limit: number): Promise<Row[]>;
  /**
   * Tells the sweeper when to look again at a row that was overdue at `now`. False when it no longer is: a worker that
   * took it meanwhile is missed as soon as its lease runs out.
   */
  postpone(row: RowName, now: number, time: number): Promise<boolean>;
}

/** A message follows its row at once; only one that did not come within this time is sent by the sweeper. */
const messageGrace = 30_000;

const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();

const lease = { "#lease": "lease" };
const holds = (attempt: string): Condition => ({
  expression: "#lease.attempt_id = :attempt",
  names: lease,
  values: { ":attempt": attempt },
});
const isFree: Condition = {
  expression: "attribute_not_exists(#lease) OR #lease = :none",
  names: lease,
  values: { ":none": null },
};
const ranOut = ({ attempt_id }: Lease) =>
  both(holds(attempt_id), { expression: "#lease.expires_at < :now", names: lease, values: { ":now": Date.now() } });

function inStates(states: readonly string[]): Condition {
  const names = states.map((_, index) => `:s${index}`);
  return {
    expression: `#status IN (${names.join(", ")})`,
    names: { "#status": "status" },
    values: Object.fromEntries(states.map((state, index) => [`:s${index}`, state])),
  };
}

function both(a: Condition, b: Condition | undefined): Condition {
  if (!b) return a;
  return {
    expression: `(${a.expression}) AND (${b.expression})`,
    names: { ...a.names, ...b.names },
    values: { ...a.values, ...b.values },
  };
}

export function createLeasedRows<State extends string, Row extends LeasedRow<State>>(
  table: Table,
  { kind, noun, parse, life, settles = [], tells = {} }: LeasedNoun<State, Row>,
): LeasedRows<State, Row> {
  const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
  const partition = (project: string) => `${project}#${noun}`;
  const keyOf = (row: RowName) => ({ pk: partition(row.project_id), sk: row.id });
  const dueAt = (milliseconds: number) => ({ [dueTime]: sortable(milliseconds) });

  /** The sparse index holds exactly the rows that want a worker. */
  const workAttributes = (state: State): Changes =>
    life.working.includes(state)
      ? { [workKind]: kind, ...dueAt(Date.now() + messageGrace) }
      : { [workKind]: undefined, [dueTime]: undefined };
  const unfinished = life.states.filter((state) => !life.isFinal(state));

  return {
    kind,
    create(row, writes = []) {
      const item = { ...row, ...workAttributes(row.status) };
      return table.transact([{ type: "create", key: keyOf(row), item }, ...writes]);
    },
    async get(project, id) {
      const item = await table.get(keyOf({ project_id: project, id }));
      return item && parse(item);
    },
    async list(project, options) {
      return (await table.query(partition(project), options)).map(parse);
    },
    transition(row, to, { changes = {}, attempt, from, writes = [] } = {}) {
      const allowed = life.before(to).filter((state) => !from || from.includes(state));
      const condition = both(inStates(allowed), attempt === undefined ? undefined : holds(attempt));
      // While an attempt keeps its lease, the row is overdue when that runs out and no later.
      const kept = attempt !== undefined && changes.lease === undefined && life.working.includes(to);
      const write = { ...changes, status: to, ...(kept ? {} : workAttributes(to)) };
      const type: WebhookEventType | undefined = tells[to];
      const told = type === undefined ? [] : [webhookEventWrite(row, type)];
      const settled = settles.includes(to) ? [settleWrite(row)] : [];
      const own: TransactWrite = { type: "update", key: keyOf(row), changes: write, condition };
      return table.transact([own, ...writes, ...told, ...settled]);
    },
    acquire(row, lease, changes = {}) {
      const taken = { ...changes, lease, ...dueAt(lease.expires_at) };
      return table.update(keyOf(row), taken, both(inStates(life.working), row.lease ? ranOut(row.lease) : isFree));
    },
    renew(row, lease) {
      const condition = both(inStates(life.working), holds(lease.attempt_id));
      return table.update(keyOf(row), { lease, ...dueAt(lease.expires_at) }, condition);
    },
    release: (row, attempt, changes = {}) => table.update(keyOf(row), { ...changes, lease: null }, holds(attempt)),
    record(row, attempt, changes, writes = []) {
      const target = { key: keyOf(row), condition: both(inStates(unfinished), holds(attempt)) };
      const own: TransactWrite = Object.keys(changes).length
        ? { type: "update", ...target, changes }
        : { type: "check", ...target };
      return table.transact([own, ...writes]);
    },
    async overdue(now, limit) {
      return (await table.dueWork(kind, sortable(now), limit)).map(parse);
    },
    postpone(row, now, time) {
      const overdue = { expression: "#due <= :now", names: { "#due": dueTime }, values: { ":now": sortable(now) } };
      return table.update(keyOf(row), dueAt(time), both(inStates(life.working), overdue));
    },
  };
}

/** Names a new attempt and how long it may be silent. */
export function newLease(seconds: number, attempt = newId("attempt")): Lease {
  return { attempt_id: attempt, expires_at: Date.now() + seconds * 1000 };
}
