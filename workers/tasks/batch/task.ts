/** The task behind a batch's message: its state says which step is next, until nothing is left to do. */
import { join } from "node:path";
import { type BatchState, batchLife } from "../../../shared/batchStates.ts";
import { endpoints } from "../../../shared/inference/endpoints.ts";
import type { BatchRecord } from "../../../shared/schemas/batch.ts";
import { type HeldLease, Stopped } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import { type Outcome, PermanentFailure, type Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { type Attempt, haltOf, refresh } from "./attempt.ts";
import { end, finish } from "./finish.ts";
import { fetchInput } from "./requests.ts";
import { runLines } from "./run.ts";
import { validate } from "./validate.ts";

const done: Outcome = { type: "done" };
const again: Outcome = { type: "retry", seconds: 0 };

/** A step ends by moving the row to another state, or finds that somebody else did. */
const steps: Partial<Record<BatchState, (attempt: Attempt) => Promise<void>>> = {
  validating: validate,
  in_progress: runLines,
  finalizing: finish,
  cancelling: finish,
};

const readsInput: readonly BatchState[] = ["validating", "in_progress"];

export function batchTask(context: WorkerContext): Task {
  const attempt = (batch: BatchRecord, lease: HeldLease) => attemptWork(context, batch, lease);
  return leasedTask(context.config, { rows: context.stores.batches, working: batchLife.working, attempt });
}

async function attemptWork(context: WorkerContext, batch: BatchRecord, lease: HeldLease): Promise<Outcome> {
  const project = await context.stores.projects.get(batch.project_id);
  const endpoint = endpoints.get(batch.endpoint);
  if (!project || !endpoint)
    throw new Error(`Batch ${batch.id} is of a project or for an endpoint that does not exist`);
  return inDirectory((directory) => {
    const input = join(directory, "input.jsonl");
    return runAttempt({ context, batch, project, endpoint, lease, input, halt: haltOf(lease) });
  });
}

async function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, batch, input } = attempt;
  try {
    if (batch.failures >= context.config.maxAttempts)
      return await giveUp(attempt, "the worker died while at work on it");
    if (readsInput.includes(batch.status)) await fetchInput(context, batch, input);
    for (let step = steps[batch.status]; step; step = steps[batch.status]) {
      await step(attempt);
      await refresh(attempt);
    }
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
async function putDown({ context, batch, lease }: Attempt, { reason }: Stopped): Promise<Outcome> {
  context.log.info({ batch: batch.id, reason }, "attempt put its work down");
  if (reason === "lost") return done;
  await context.stores.batches.release(batch, lease.attempt);
  return again;
}

function fail(attempt: Attempt, { code, message, param }: PermanentFailure): Promise<boolean> {
  const data = [{ code, message: message.slice(0, 1000), param, line: null }];
  return end(attempt, "failed", { errors: { object: "list", data } });
}

async function retryOrGiveUp(attempt: Attempt, error: Error): Promise<Outcome> {
  const { context, batch, lease } = attempt;
  const failures = batch.failures + 1;
  context.log.error({ batch: batch.id, failures, error }, "attempt failed");
  if (failures >= context.config.maxAttempts) return await giveUp(attempt, error.message);
  await context.stores.batches.release(batch, lease.attempt, { failures });
  return { type: "retry", seconds: 2 ** failures };
}

async function giveUp(attempt: Attempt, cause: string): Promise<Outcome> {
  const message = `Gave up after ${attempt.context.config.maxAttempts} attempts: ${cause.split("\n", 1)[0]}`;
  const failed = await fail(attempt, new PermanentFailure("attempts_exhausted", message));
  return failed ? { type: "buried", cause } : done;
}
