/** The queues as they are: what waits for a worker and what is at work, of all projects, looked at once in a few seconds. */
import type { Queue, Work } from "../queue.ts";
import type { Pace } from "../schemas/budget.ts";
import type { JobRecord } from "../schemas/fineTuningJob.ts";
import type { Stores } from "../stores/stores.ts";
import { estimateJob, type JobPlan } from "./jobCost.ts";
import { type QueuedWork, type Turn, turnsOf } from "./queueOrder.ts";

export interface WaitingLine {
  /** Of a job that waits. */
  turnOf(job: Work<"fine_tuning_job">): Promise<Turn>;
  /** Of a job that does not exist yet, whatever its id. */
  turnOfNew(job: Work<"fine_tuning_job">): Promise<Turn>;
}

/** What waits for the same workers, oldest first. */
interface Line {
  queue: QueuedWork[];
  turns?: Map<string, Turn>;
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

export function createWaitingLine(
  stores: Pick<Stores, "jobs" | "batches" | "evalRuns" | "budgets">,
  { lineOf }: Pick<Queue, "lineOf">,
): WaitingLine {
  let kept: { until: number; lines: Promise<Map<string, Line>> } | undefined;

  const look = async (): Promise<Map<string, Line>> => {
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
    const queued: (Placed & { created_at: number })[] = [];
    const add = (line: string, row: Pick<JobRecord, "project_id" | "id" | "created_at" | "lease">, seconds: number) => {
      const { project_id, id, created_at, lease } = row;
      queued.push({ line, project_id, id, created_at, is_running: lease !== null, seconds });
    };
    for (const job of jobs) add(lineOf("fine_tuning_job", job), job, await secondsOf(remembered, job));
    for (const batch of batches) add(lineOf("batch", batch), batch, usualSeconds);
    for (const run of runs) add(lineOf("eval_run", run), run, usualSeconds);
    queued.sort((a, b) => a.created_at - b.created_at);
    return new Map([...Map.groupBy(queued, ({ line }) => line)].map(([line, queue]) => [line, { queue }]));
  };
  const recent = () => {
    if (!kept || Date.now() > kept.until) {
      const began = Date.now();
      const mine = { until: Number.POSITIVE_INFINITY, lines: look() };
      kept = mine;
      mine.lines.then(
        () => {
          mine.until = Date.now() + Math.max(lookMilliseconds, lookShare * (Date.now() - began));
        },
        // A look that failed is not remembered.
        () => {
          if (kept === mine) kept = undefined;
        },
      );
    }
    return kept.lines;
  };
  const lineFor = async (job: Work<"fine_tuning_job">): Promise<Line> => {
    const lines = await recent();
    const name = lineOf("fine_tuning_job", job);
    const line = lines.get(name) ?? { queue: [] };
    lines.set(name, line);
    return line;
  };

  return {
    async turnOf(job) {
      const line = await lineFor(job);
      line.turns ??= turnsOf(line.queue);
      const turn = line.turns.get(job.id);
      if (turn) return turn;
      // One that came since the last look is behind the others, and before those that come after it.
      line.queue.push(newcomer(job.project_id, job.id));
      line.turns = turnsOf(line.queue);
      return line.turns.get(job.id)!;
    },
    async turnOfNew(job) {
      const { queue } = await lineFor(job);
      return turnsOf([...queue, newcomer(job.project_id, unborn)]).get(unborn)!;
    },
  };
}

type Placed = QueuedWork & { line: string };

function newcomer(project_id: string, id: string): QueuedWork {
  return { project_id, id, is_running: false, seconds: usualSeconds };
}

async function secondsOf(budgets: { paces(name: string): Promise<Pace[]> }, job: JobRecord): Promise<number> {
  if (job.lease && job.estimated_finish !== null) return Math.max(0, job.estimated_finish - Date.now() / 1000);
  return (await estimateJob(budgets, job satisfies JobPlan)).seconds;
}
