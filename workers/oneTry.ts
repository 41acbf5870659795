/** One try at a row, however it goes out: done, put down, failed for good, or to be repeated a little later, some times. */
import type { Config } from "../shared/config.ts";
import { ApiError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { LeasedRow, LeasedRows } from "../shared/stores/leasedRows.ts";
import { type HeldLease, Stopped, type StopReason } from "./lease.ts";
import { type Outcome, PermanentFailure } from "./task.ts";

export interface Try<Row extends LeasedRow<string>> {
  context: { config: Pick<Config, "maxAttempts">; log: Log };
  rows: Pick<LeasedRows<string, Row>, "kind" | "release">;
  row: Row;
  lease: HeldLease;
  /** Aborts with `Stopped` or its reason when the work must be let go at once; default: as the lease does. */
  halt?: AbortSignal;
  /** Throws PermanentFailure for what trying again cannot mend. */
  work(): Promise<void>;
  /** Ends the row with its cause. False where it is not this try's any more. */
  fail(failure: PermanentFailure): Promise<boolean>;
  /** Default: lets go of the row, which another worker is to have at once. */
  putDown?(reason: Exclude<StopReason, "lost">): Promise<Outcome>;
  /** Lets go of the row with what failed counted; default: says no more of it. */
  repeatLater?(failures: number): Promise<unknown>;
}

const done: Outcome = { type: "done" };
/** Until a key that cannot be used is looked at again. */
const keySeconds = 30;

export async function tryOnce<Row extends LeasedRow<string>>(one: Try<Row>): Promise<Outcome> {
  const { context, row, lease, halt = lease.signal } = one;
  try {
    if (row.failures >= context.config.maxAttempts) throw new Error("the worker died while at work on it");
    await one.work();
    return done;
  } catch (error) {
    if (error instanceof Stopped) return await putDown(one, error.reason);
    if (halt.aborted) return await putDown(one, reasonOf(halt));
    if (isKeyAway(error)) return await waitForKey(one, error);
    if (!(error instanceof PermanentFailure)) return await repeatOrGiveUp(one, error as Error);
    await one.fail(error);
    return done;
  }
}

const reasonOf = ({ reason }: AbortSignal): StopReason => (reason instanceof Stopped ? reason.reason : reason);

/** What is done is stored already; what is left is to let go, so that another worker can have the rest. */
async function putDown<Row extends LeasedRow<string>>(one: Try<Row>, reason: StopReason): Promise<Outcome> {
  const { context, rows, row, lease } = one;
  context.log.info({ [rows.kind]: row.id, reason }, "attempt put its work down");
  if (reason === "lost") return done;
  if (one.putDown) return one.putDown(reason);
  await rows.release(row, lease.attempt);
  return { type: "retry", seconds: 0 };
}

/** It says nothing of the work, and the row could not even be told that it failed. */
function isKeyAway(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === "encryption_key_unavailable";
}

async function waitForKey<Row extends LeasedRow<string>>(
  { context, rows, row, lease }: Try<Row>,
  error: ApiError,
): Promise<Outcome> {
  context.log.error({ [rows.kind]: row.id, error }, "attempt waits for a key");
  await rows.release(row, lease.attempt);
  return { type: "retry", seconds: keySeconds };
}

async function repeatOrGiveUp<Row extends LeasedRow<string>>(one: Try<Row>, error: Error): Promise<Outcome> {
  const { context, rows, row, lease } = one;
  const { maxAttempts } = context.config;
  const failures = row.failures + 1;
  context.log.error({ [rows.kind]: row.id, failures, error }, "attempt failed");
  if (failures < maxAttempts) {
    await (one.repeatLater?.(failures) ?? rows.release(row, lease.attempt, { failures } as Partial<Row>));
    return { type: "retry", seconds: 2 ** failures };
  }
  const cause = error.message.split("\n", 1)[0]!;
  const failure = new PermanentFailure("attempts_exhausted", `Gave up after ${maxAttempts} attempts: ${cause}`);
  return (await one.fail(failure)) ? { type: "buried", cause: unquoted(error.message) } : done;
}

/** For the operator: what an error quotes may be a customer's, and the row tells it to them alone. */
const unquoted = (message: string) => message.replace(/["'`].*["'`]/s, "…").split("\n", 1)[0]!;
