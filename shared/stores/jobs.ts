/** Rows of fine-tuning jobs: every change of state names the state it leaves, and appends its event in the same write. */
import { newId } from "../ids.ts";
import { isFinal, type JobState, jobStates, statesBefore, unfinishedWork } from "../jobStates.ts";
import { JobRecord, type Lease } from "../schemas/fineTuningJob.ts";
import type { NewEvent } from "../schemas/jobEvent.ts";
import { eventWrite } from "./events.ts";
import { type Changes, type Condition, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface Jobs {
  /** Stores the job with its first event. */
  create(record: JobRecord, event: NewEvent): Promise<void>;
  get(project: string, id: string): Promise<JobRecord | undefined>;
  /** Newest first. `metadata: null` asks for jobs without metadata. */
  list(
    project: string,
    options: { limit: number; after?: string; metadata?: Record<string, string> | null },
  ): Promise<JobRecord[]>;
  /**
   * Moves a job to `to` if it is in a state that may go there, and, with `attempt`, only if that attempt holds the lease.
   * False when it lost the race: somebody else's change stands.
   */
  transition(job: JobName, to: JobState, event: NewEvent, options?: TransitionOptions): Promise<boolean>;
  /**
   * Takes the lease if the job wants work and its lease is still as it was read: free, or left behind by an attempt
   * that let it run out.
   */
  acquire(job: JobName & Pick<JobRecord, "lease">, lease: Lease, changes?: Partial<JobRecord>): Promise<boolean>;
  renew(job: JobName, lease: Lease): Promise<boolean>;
  /** Gives the lease up; a message follows at once or the sweeper sends one. */
  release(job: JobName, attempt: string, changes?: Partial<JobRecord>): Promise<boolean>;
  /**
   * Writes fields, and other rows with them, on behalf of an attempt; false when it no longer holds the lease or the
   * job is over.
   */
  record(
    job: JobName,
    attempt: string,
    changes: Partial<JobRecord>,
    writes?: readonly TransactWrite[],
  ): Promise<boolean>;
  /** Jobs that want a worker and whose last message is overdue, of all projects: for the sweeper alone. */
  overdue(now: number, limit: number): Promise<JobRecord[]>;
  /** Tells the sweeper when to look again. */
  redeliverAt(job: JobName, time: number): Promise<boolean>;
}

export interface JobName {
  project_id: string;
  id: string;
}

export interface TransitionOptions {
  changes?: Partial<JobRecord>;
  attempt?: string;
  /** Narrows the states it may leave further than the table of transitions does. */
  from?: readonly JobState[];
  /** Rows that come to be with this change or not at all, such as the finished model's. */
  writes?: readonly TransactWrite[];
}

const workKind = "fine_tuning_job";

/** A message follows its row at once; only one that did not come within this time is sent by the sweeper. */
const messageGrace = 30_000;

const partition = (project: string) => `${project}#job`;
const keyOf = (job: JobName) => ({ pk: partition(job.project_id), sk: job.id });
const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();
const holds = (attempt: string): Condition => ({
  expression: "#lease.attempt_id = :attempt",
  names: { "#lease": "lease" },
  values: { ":attempt": attempt },
});

const isFree: Condition = {
  expression: "attribute_not_exists(#lease) OR #lease = :none",
  names: { "#lease": "lease" },
  values: { ":none": null },
};
const ranOut = ({ attempt_id }: Lease) =>
  both(holds(attempt_id), {
    expression: "#lease.expires_at < :now",
    names: { "#lease": "lease" },
    values: { ":now": Date.now() },
  });

/** A paused job still takes the checkpoint of the attempt that puts it down. */
const unfinished = jobStates.filter((state) => !isFinal(state));

/** The sparse index holds exactly the jobs that want a worker. */
function workAttributes(state: JobState, redeliverAt: number): Changes {
  const { partition: kind, sort } = tableSchema.workIndex;
  return unfinishedWork.includes(state)
    ? { [kind]: workKind, [sort]: sortable(redeliverAt) }
    : { [kind]: undefined, [sort]: undefined };
}

function inStates(states: readonly JobState[]): Condition {
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

function listFilter(metadata: Record<string, string> | null | undefined): Record<string, unknown> | undefined {
  if (metadata === undefined) return undefined;
  if (metadata === null) return { metadata: null };
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]));
}

export function createJobs(table: Table): Jobs {
  const parse = (item: Record<string, unknown>) => JobRecord.parse(item);
  return {
    async create(record, event) {
      const item = { ...record, ...workAttributes(record.status, Date.now() + messageGrace) };
      await table.transact([{ type: "create", key: keyOf(record), item }, eventWrite(record, event)]);
    },
    async get(project, id) {
      const item = await table.get(keyOf({ project_id: project, id }));
      return item && parse(item);
    },
    async list(project, { limit, after, metadata }) {
      const items = await table.query(partition(project), {
        limit,
        after,
        descending: true,
        equals: listFilter(metadata),
      });
      return items.map(parse);
    },
    transition(job, to, event, { changes = {}, attempt, from, writes = [] } = {}) {
      const allowed = statesBefore(to).filter((state) => !from || from.includes(state));
      const condition = both(inStates(allowed), attempt === undefined ? undefined : holds(attempt));
      const finished = isFinal(to) ? { finished_at: Math.floor(Date.now() / 1000), estimated_finish: null } : {};
      // While an attempt keeps its lease, the job is overdue when that runs out and no later.
      const kept = attempt !== undefined && changes.lease === undefined && unfinishedWork.includes(to);
      const work = kept ? {} : workAttributes(to, Date.now() + messageGrace);
      const write = { ...finished, ...changes, status: to, ...work };
      const update: TransactWrite = { type: "update", key: keyOf(job), changes: write, condition };
      return table.transact([update, eventWrite(job, event), ...writes]);
    },
    acquire(job, lease, changes = {}) {
      const taken = { ...changes, lease, [tableSchema.workIndex.sort]: sortable(lease.expires_at) };
      return table.update(keyOf(job), taken, both(inStates(unfinishedWork), job.lease ? ranOut(job.lease) : isFree));
    },
    renew(job, lease) {
      const changes = { lease, [tableSchema.workIndex.sort]: sortable(lease.expires_at) };
      return table.update(keyOf(job), changes, both(inStates(unfinishedWork), holds(lease.attempt_id)));
    },
    release: (job, attempt, changes = {}) => table.update(keyOf(job), { ...changes, lease: null }, holds(attempt)),
    record(job, attempt, changes, writes = []) {
      const target = { key: keyOf(job), condition: both(inStates(unfinished), holds(attempt)) };
      const own: TransactWrite = Object.keys(changes).length
        ? { type: "update", ...target, changes }
        : { type: "check", ...target };
      return table.transact([own, ...writes]);
    },
    async overdue(now, limit) {
      return (await table.dueWork(workKind, sortable(now), limit)).map(parse);
    },
    redeliverAt: (job, time) =>
      table.update(keyOf(job), { [tableSchema.workIndex.sort]: sortable(time) }, inStates(unfinishedWork)),
  };
}

/** Names a new attempt and how long it may be silent. */
export function newLease(seconds: number, attempt = newId("attempt")): Lease {
  return { attempt_id: attempt, expires_at: Date.now() + seconds * 1000 };
}
