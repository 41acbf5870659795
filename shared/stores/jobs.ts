/** Rows of fine-tuning jobs: leased rows whose every change of state appends its event in the same write. */
import { isFinal, type JobState, jobLife } from "../jobStates.ts";
import { JobRecord } from "../schemas/fineTuningJob.ts";
import type { NewEvent } from "../schemas/jobEvent.ts";
import { eventWrite } from "./events.ts";
import { createLeasedRows, type LeasedRows, type RowName, type TransitionOptions } from "./leasedRows.ts";
import type { Table, TransactWrite } from "./table.ts";

type Rows = LeasedRows<JobState, JobRecord>;
export type JobName = RowName;

export interface Jobs extends Omit<Rows, "create" | "list" | "transition"> {
  /** Stores the job with its first event, and other rows with them; false where it is there, or one of those was refused. */
  create(record: JobRecord, event: NewEvent, writes?: readonly TransactWrite[]): Promise<boolean>;
  /** Newest first. `metadata: null` asks for jobs without metadata. */
  list(
    project: string,
    options: { limit: number; after?: string; metadata?: Record<string, string> | null },
  ): Promise<JobRecord[]>;
  oldest(project: string, options: { limit: number; after?: string }): Promise<JobRecord[]>;
  transition(
    job: JobName,
    to: JobState,
    event: NewEvent,
    options?: TransitionOptions<JobState, JobRecord>,
  ): Promise<boolean>;
}

export function createJobs(table: Table): Jobs {
  const parse = (item: Record<string, unknown>) => JobRecord.parse(item);
  const rows = createLeasedRows<JobState, JobRecord>(table, {
    kind: "fine_tuning_job",
    noun: "job",
    parse,
    life: jobLife,
    settles: ["succeeded", "failed", "cancelled"],
    tells: {
      succeeded: "fine_tuning.job.succeeded",
      failed: "fine_tuning.job.failed",
      cancelled: "fine_tuning.job.cancelled",
    },
  });
  return {
    ...rows,
    create: (record, event, writes = []) => rows.create(record, [eventWrite(record, event), ...writes]),
    list: (project, { limit, after, metadata }) =>
      rows.list(project, { limit, after, descending: true, equals: listFilter(metadata) }),
    oldest: (project, options) => rows.list(project, options),
    transition(job, to, event, { changes, writes = [], ...options } = {}) {
      const finished = isFinal(to) ? { finished_at: Math.floor(Date.now() / 1000), estimated_finish: null } : {};
      return rows.transition(job, to, {
        ...options,
        changes: { ...finished, ...changes },
        writes: [eventWrite(job, event), ...writes],
      });
    },
  };
}

function listFilter(metadata: Record<string, string> | null | undefined): Record<string, unknown> | undefined {
  if (metadata === undefined) return undefined;
  if (metadata === null) return { metadata: null };
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]));
}
