/** The task behind an eval run's message: its state says which step is next, until nothing is left to do. */
import { type EvalRunState, evalRunLife } from "../../../shared/evalRunStates.ts";
import type { EvalRunRecord } from "../../../shared/schemas/evalRun.ts";
import type { HeldLease } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import { tryOnce } from "../../oneTry.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { type Attempt, haltOf } from "./attempt.ts";
import { gather } from "./gather.ts";
import { runItems } from "./run.ts";

const done: Outcome = { type: "done" };

const steps: Partial<Record<EvalRunState, (attempt: Attempt) => Promise<void>>> = {
  async queued(attempt) {
    await gather(attempt);
    await runItems(attempt);
  },
  in_progress: runItems,
};

export function evalRunTask(context: WorkerContext): Task {
  const attempt = (run: EvalRunRecord, lease: HeldLease) => attemptWork(context, run, lease);
  return leasedTask(context.config, { rows: context.stores.evalRuns, working: evalRunLife.working, attempt });
}

async function attemptWork(context: WorkerContext, run: EvalRunRecord, lease: HeldLease): Promise<Outcome> {
  const { stores } = context;
  const [project, found] = await Promise.all([
    stores.projects.get(run.project_id),
    stores.evals.get(run.project_id, run.eval_id),
  ]);
  // A run outlives its eval only until it is deleted, too.
  if (run.status === "deleting" || !found) {
    await stores.evalRuns.remove(run);
    return done;
  }
  if (!project) throw new Error(`Eval run ${run.id} is of a project that does not exist`);
  const halt = haltOf(lease);
  return inDirectory((directory) => runAttempt({ context, run, eval: found, project, lease, directory, halt }));
}

function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, run, lease, halt } = attempt;
  const rows = context.stores.evalRuns;
  return tryOnce({
    ...{ context, rows, row: run, lease, halt },
    work: async () => steps[run.status]?.(attempt),
    fail({ code, message }) {
      const changes = { error: { code, message: message.slice(0, 2000) }, lease: null };
      return rows.transition(run, "failed", { attempt: lease.attempt, changes });
    },
    async putDown(reason) {
      if (reason === "cancelled") return done;
      await rows.release(run, lease.attempt);
      return { type: "retry", seconds: 0 };
    },
  });
}
