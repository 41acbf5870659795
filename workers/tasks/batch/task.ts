/** The task behind a batch's message: its state says which step is next, until nothing is left to do. */
import { join } from "node:path";
import { type BatchState, batchLife } from "../../../shared/batchStates.ts";
import { endpoints } from "../../../shared/inference/endpoints.ts";
import type { BatchRecord } from "../../../shared/schemas/batch.ts";
import type { HeldLease } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import { tryOnce } from "../../oneTry.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { type Attempt, haltOf, refresh } from "./attempt.ts";
import { end, finish } from "./finish.ts";
import { fetchInput } from "./requests.ts";
import { runLines } from "./run.ts";
import { validate } from "./validate.ts";

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

function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, batch, lease, halt } = attempt;
  return tryOnce({
    ...{ context, rows: context.stores.batches, row: batch, lease, halt },
    work: () => takeSteps(attempt),
    fail({ code, message, param }) {
      const data = [{ code, message: message.slice(0, 1000), param, line: null }];
      return end(attempt, "failed", { errors: { object: "list", data } });
    },
  });
}

async function takeSteps(attempt: Attempt): Promise<void> {
  const { context, batch, input } = attempt;
  if (readsInput.includes(batch.status)) await fetchInput(context, batch, input);
  for (let step = steps[batch.status]; step; step = steps[batch.status]) {
    await step(attempt);
    await refresh(attempt);
  }
}
