/** Rows of a job's checkpoints. */
import { CheckpointRecord } from "../schemas/checkpoint.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Checkpoints {
  create(record: CheckpointRecord): Promise<void>;
  /** Newest first. */
  list(
    job: { project_id: string; id: string },
    options: { limit: number; after?: string },
  ): Promise<CheckpointRecord[]>;
}

const partition = (job: { project_id: string; id: string }) => `${job.project_id}#checkpoint#${job.id}`;

/** The checkpoint's row as part of a transaction with the job's. */
export function checkpointWrite(record: CheckpointRecord): TransactWrite {
  const job = { project_id: record.project_id, id: record.fine_tuning_job_id };
  return { type: "create", key: { pk: partition(job), sk: record.id }, item: record };
}

export function createCheckpoints(table: Table): Checkpoints {
  return {
    async create(record) {
      await table.transact([checkpointWrite(record)]);
    },
    async list(job, { limit, after }) {
      const items = await table.query(partition(job), { limit, after, descending: true });
      return items.map((item) => CheckpointRecord.parse(item));
    },
  };
}
