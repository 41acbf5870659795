/** What a policy speaks of: how each kind is gone through from the oldest on, and removed. */
import { evalRunLife } from "../evalRunStates.ts";
import { isFinal } from "../jobStates.ts";
import type { FileRecord } from "../schemas/file.ts";
import type { RetentionPolicy } from "../schemas/retention.ts";
import type { Stores } from "../stores/stores.ts";

export interface Expiring {
  id: string;
  /** Unix time in seconds from which its days are counted. */
  since: number;
  /** Null: it stays. */
  days: number | null;
  /** False where unfinished work needs it. */
  remove(): Promise<boolean>;
}

type Needs = Pick<Stores, "inferences" | "retained" | "evalRuns" | "jobs" | "checkpoints" | "webhookEndpoints">;

export interface Sweeping {
  stores: Needs;
  project: string;
  policy: RetentionPolicy;
  /** Work that is not over, as text; read once for a step, as it may be much. */
  unfinished: () => Promise<string>;
  /** Whose rows this step removed, and whose bytes are still there. */
  removedFiles: FileRecord[];
}

type Kind = (sweeping: Sweeping, after: string | undefined) => AsyncGenerator<Expiring>;

const page = 100;
const everyEndpoint = 1000;

/** By the names that the policy has for them. */
export const kinds: Record<keyof RetentionPolicy, Kind> = {
  async *inference_days({ stores, project, policy }, after) {
    for await (const row of stores.inferences.stream(project, { after })) {
      const remove = async () => {
        await stores.inferences.delete(row);
        return true;
      };
      yield { id: row.id, since: row.created_at, days: policy.inference_days, remove };
    }
  },

  async *file_days({ stores: { retained }, project, policy, unfinished, removedFiles }, after) {
    for await (const file of retained.files(project, after)) {
      const remove = async () => {
        if ((await unfinished()).includes(file.id)) return false;
        const isRemoved = await retained.removeFile(file);
        if (isRemoved) removedFiles.push(file);
        return isRemoved;
      };
      yield { id: file.id, since: file.created_at, days: policy.file_days[file.purpose], remove };
    }
  },

  async *eval_run_days({ stores, project, policy }, first) {
    for (let after = first; ; ) {
      const runs = await stores.evalRuns.list(project, { limit: page, ...(after !== undefined && { after }) });
      for (const run of runs) {
        const isOver = run.status !== "deleting" && !evalRunLife.working.includes(run.status);
        const remove = async () => {
          await stores.evalRuns.remove(run);
          return true;
        };
        yield { id: run.id, since: run.created_at, days: isOver ? policy.eval_run_days : null, remove };
      }
      if (runs.length < page) return;
      after = runs.at(-1)!.id;
    }
  },

  async *checkpoint_days({ stores, project, policy }, first) {
    for (let after = first; ; ) {
      const jobs = await stores.jobs.oldest(project, { limit: page, ...(after !== undefined && { after }) });
      for (const job of jobs) {
        const found = isFinal(job.status) ? await stores.checkpoints.list(job, { limit: everyEndpoint }) : [];
        const remove = async () => {
          await stores.retained.removeCheckpoints(found);
          return true;
        };
        const since = job.finished_at ?? job.created_at;
        yield { id: job.id, since, days: found.length ? policy.checkpoint_days : null, remove };
      }
      if (jobs.length < page) return;
      after = jobs.at(-1)!.id;
    }
  },

  async *webhook_delivery_days({ stores, project, policy }) {
    for (const { id } of await stores.webhookEndpoints.list(project, { limit: everyEndpoint })) {
      for await (const delivery of stores.retained.deliveries(project, id)) {
        const days = delivery.due === null ? policy.webhook_delivery_days : null;
        const remove = () => stores.retained.removeDelivery(delivery);
        yield { id: delivery.id, since: delivery.created_at, days, remove };
      }
    }
  },
};

/**
 * Without its row nobody can name a file any more: whatever named it since the first look is seen now, and has it back. The
 * others' bytes go. How many are back.
 */
export async function settleFiles({ stores: { retained }, project, removedFiles }: Sweeping): Promise<number> {
  const unfinished = removedFiles.length ? await retained.unfinished(project) : "";
  let restored = 0;
  for (const file of removedFiles) {
    if (unfinished.includes(file.id)) {
      await retained.restoreFile(file);
      restored++;
    } else await retained.removeBytes(file);
  }
  return restored;
}
