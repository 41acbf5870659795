/** The task behind an eval run's message: its state says which step is next, until nothing is left to do. */
import { type EvalRunState, evalRunLife } from "../../../shared/evalRunStates.ts";
import type { EvalRunRecord } from "../../../shared/schemas/evalRun.ts";
import { type HeldLease, Stopped } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import { type Outcome, PermanentFailure, type Task } from "../../task.ts";
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

async function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, run } = attempt;
  try {
    if (run.failures >= context.config.maxAttempts) throw new Error("the worker died while at work on it");
    await steps[run.status]?.(attempt);
    return done;
  } catch (error) {
    if (error instanceof Stopped) return await putDown(attempt, error);
    if (attempt.halt.aborted) return await putDown(attempt, attempt.halt.reason as Stopped);
    if (error instanceof PermanentFailure) {
      await fail(attempt, error);
      return done;
    }
    return await retryOrGiveUp(attempt, error as Error);
  }
}

/** What is done is stored already; what is left is to let go, so that another worker can have the rest. */
async function putDown({ context, run, lease }: Attempt, { reason }: Stopped): Promise<Outcome> {
  context.log.info({ eval_run: run.id, reason }, "attempt put its work down");
  if (reason === "lost" || reason === "cancelled") return done;
  await context.stores.evalRuns.release(run, lease.attempt);
  return { type: "retry", seconds: 0 };
}

function fail({ context, run, lease }: Attempt, { code, message }: PermanentFailure): Promise<boolean> {
  const changes = { error: { code, message: message.slice(0, 2000) }, lease: null };
  return context.stores.evalRuns.transition(run, "failed", { attempt: lease.attempt, changes });
}

async function retryOrGiveUp(attempt: Attempt, error: Error): Promise<Outcome> {
  const { context, run, lease } = attempt;
  const failures = run.failures + 1;
  context.log.error({ eval_run: run.id, failures, error }, "attempt failed");
  if (failures < context.config.maxAttempts) {
    await context.stores.evalRuns.release(run, lease.attempt, { failures });
    return { type: "retry", seconds: 2 ** failures };
  }
  const cause = `Gave up after ${context.config.maxAttempts} attempts: ${error.message.split("\n", 1)[0]}`;
  const failed = await fail(attempt, new PermanentFailure("attempts_exhausted", cause));
  return failed ? { type: "buried", cause } : done;
}
