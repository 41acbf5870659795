/** Events of a job, in the order they happened. */
import { newId } from "../ids.ts";
import { JobEvent, type NewEvent } from "../schemas/jobEvent.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Events {
  /** Newest first. */
  list(job: { project_id: string; id: string }, options: { limit: number; after?: string }): Promise<JobEvent[]>;
}

const partition = (job: { project_id: string; id: string }) => `${job.project_id}#event#${job.id}`;

/** The event as part of a transaction with the change it tells of. */
export function eventWrite(job: { project_id: string; id: string }, event: NewEvent): TransactWrite {
  const item: JobEvent = {
    id: newId("event"),
    object: "fine_tuning.job.event",
    created_at: Math.floor(Date.now() / 1000),
    type: "message",
    data: null,
    ...event,
  };
  return { type: "create", key: { pk: partition(job), sk: item.id }, item };
}

export function createEvents(table: Table): Events {
  return {
    async list(job, { limit, after }) {
      const items = await table.query(partition(job), { limit, after, descending: true });
      return items.map((item) => JobEvent.parse(item));
    },
  };
}
