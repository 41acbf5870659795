/** The task behind a dataset version's message: at least once in, one content out, whoever builds it how often. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasetLife } from "../../../shared/datasetStates.ts";
import { TooManyRows } from "../../../shared/datasets/build.ts";
import type { DatasetVersionRecord } from "../../../shared/schemas/dataset.ts";
import { type HeldLease, Stopped, type StopReason, takeLease } from "../../lease.ts";
import { type Outcome, PermanentFailure, type Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { build } from "./build.ts";

export interface Attempt {
  context: WorkerContext;
  version: DatasetVersionRecord;
  lease: HeldLease;
  /** A temporary directory of this attempt's own. */
  directory: string;
}

const done: Outcome = { type: "done" };

export function datasetTask(context: WorkerContext): Task {
  return async (message, shutdown) => {
    const { stores, config } = context;
    const version = await stores.datasets.versions.get(message.project_id, message.id);
    if (!version || !datasetLife.working.includes(version.status)) return done;
    const lease = await takeLease(stores.datasets.versions, version, { ...config, shutdown });
    // Somebody is at work on it. Should they die, the sweeper sends another message.
    if (!lease) return done;
    const directory = await mkdtemp(join(tmpdir(), "millrace-dataset-"));
    try {
      return await runAttempt({ context, version, lease, directory });
    } finally {
      lease.end();
      await rm(directory, { recursive: true, force: true });
    }
  };
}

async function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, version, lease } = attempt;
  try {
    if (version.failures >= context.config.maxAttempts) throw new Error("the worker died while at work on it");
    await build(attempt);
    return done;
  } catch (error) {
    if (lease.signal.aborted) return await putDown(attempt, new Stopped(lease.signal.reason as StopReason));
    if (error instanceof PermanentFailure) return await fail(attempt, error);
    // Errors come from a thread as copies, known by their names.
    if ((error as Error).name === TooManyRows.name) {
      return await fail(attempt, new PermanentFailure("too_many_rows", (error as Error).message, "sources"));
    }
    return await retryOrGiveUp(attempt, error as Error);
  }
}

async function putDown({ context, version, lease }: Attempt, { reason }: Stopped): Promise<Outcome> {
  if (reason === "lost") return done;
  await context.stores.datasets.versions.release(version, lease.attempt);
  return { type: "retry", seconds: 0 };
}

async function fail({ context, version, lease }: Attempt, error: PermanentFailure): Promise<Outcome> {
  const cause = { code: error.code, message: error.message, param: error.param };
  const changes = { error: cause, finished_at: Math.floor(Date.now() / 1000), lease: null };
  await context.stores.datasets.versions.transition(version, "failed", { attempt: lease.attempt, changes });
  return done;
}

async function retryOrGiveUp(attempt: Attempt, error: Error): Promise<Outcome> {
  const { context, version, lease } = attempt;
  const failures = version.failures + 1;
  context.log.error({ dataset_version: version.id, failures, error }, "attempt failed");
  if (failures < context.config.maxAttempts) {
    await context.stores.datasets.versions.release(version, lease.attempt, { failures });
    return { type: "retry", seconds: 2 ** failures };
  }
  const message = `Gave up after ${context.config.maxAttempts} attempts: ${error.message.split("\n", 1)[0]}`;
  await fail(attempt, new PermanentFailure("attempts_exhausted", message));
  return { type: "buried", cause: message };
}
