/** The queue as it is: what waits for a worker and what is at work, of all projects, looked at once in a few seconds. */
import type { Pace } from "../schemas/budget.ts";
import type { JobRecord } from "../schemas/fineTuningJob.ts";
import type { Stores } from "../stores/stores.ts";
import { estimateJob, type JobPlan } from "./jobCost.ts";
import { type QueuedWork, type Turn, turnsOf } from "./queueOrder.ts";

export interface WaitingLine {
  /** Of a job that waits. */
  turnOf(job: Pick<JobRecord, "project_id" | "id">): Promise<Turn>;
  /** Of a job that does not exist yet. */
  turnOfNew(project: string): Promise<Turn>;
}

const lookMilliseconds = 2000;
/** A look at a long queue takes its time, and is kept for so many times as long. */
const lookShare = 20;
/** Behind so many nobody is told a place. */
const mostRows = 10_000;
/** A batch and an eval run go behind the others after this time. */
const usualSeconds = 60;
const everything = 10 * 365 * 24 * 60 * 60 * 1000;
const unborn = "";

export function createWaitingLine(stores: Pick<Stores, "jobs" | "batches" | "evalRuns" | "budgets">): WaitingLine {
  let kept: { until: number; queue: Promise<QueuedWork[]>; turns?: Promise<Map<string, Turn>> } | undefined;

  const look = async (): Promise<QueuedWork[]> => {
    const until = Date.now() + everything;
    const [jobs, batches, runs] = await Promise.all([
      stores.jobs.overdue(until, mostRows),
      stores.batches.overdue(until, mostRows),
      stores.evalRuns.overdue(until, mostRows),
    ]);
    const paces = new Map<string, Pace[]>();
    const remembered = {
      async paces(name: string) {
        if (!paces.has(name)) paces.set(name, await stores.budgets.paces(name));
        return paces.get(name)!;
      },
    };
    const queued: (QueuedWork & { created_at: number })[] = [];
    for (const job of jobs) {
      const { project_id, id, created_at } = job;
      queued.push({
        project_id,
        id,
        created_at,
        is_running: job.lease !== null,
        seconds: await secondsOf(remembered, job),
      });
    }
    for (const { project_id, id, created_at, lease } of [...batches, ...runs]) {
      queued.push({ project_id, id, created_at, is_running: lease !== null, seconds: usualSeconds });
    }
    return queued.sort((a, b) => a.created_at - b.created_at);
  };
  const recent = () => {
    if (!kept || Date.now() > kept.until) {
      const began = Date.now();
      const mine = { until: Number.POSITIVE_INFINITY, queue: look() };
      kept = mine;
      mine.queue.then(
        () => {
          mine.until = Date.now() + Math.max(lookMilliseconds, lookShare * (Date.now() - began));
        },
        // A look that failed is not remembered.
        () => {
          if (kept === mine) kept = undefined;
        },
      );
    }
    return kept;
  };

  return {
    async turnOf({ project_id, id }) {
      const line = recent();
      line.turns ??= line.queue.then(turnsOf);
      const turn = (await line.turns).get(id);
      if (turn) return turn;
      // One that came since the last look is behind the others, and before those that come after it.
      const queue = await line.queue;
      queue.push(newcomer(project_id, id));
      line.turns = Promise.resolve(turnsOf(queue));
      return (await line.turns).get(id)!;
    },
    turnOfNew: async (project) => turnsOf([...(await recent().queue), newcomer(project, unborn)]).get(unborn)!,
  };
}

function newcomer(project_id: string, id: string): QueuedWork {
  return { project_id, id, is_running: false, seconds: usualSeconds };
}

async function secondsOf(budgets: { paces(name: string): Promise<Pace[]> }, job: JobRecord): Promise<number> {
  if (job.lease && job.estimated_finish !== null) return Math.max(0, job.estimated_finish - Date.now() / 1000);
  return (await estimateJob(budgets, job satisfies JobPlan)).seconds;
}
