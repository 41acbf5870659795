/** The task behind rows that are built once: at least once in, one content out, whoever builds it how often. */
import { type BuiltState, builtLife } from "../../shared/builtStates.ts";
import type { LeasedRow, LeasedRows } from "../../shared/stores/leasedRows.ts";
import { type HeldLease, Stopped, type StopReason } from "../lease.ts";
import { inDirectory, leasedTask } from "../leasedTask.ts";
import { type Outcome, PermanentFailure, type Task } from "../task.ts";
import type { WorkerContext } from "./context.ts";

export interface BuiltRow extends LeasedRow<BuiltState> {
  error: { code: string; message: string; param: string | null } | null;
  finished_at: number | null;
}

/** One try at a row by one worker. */
export interface Building<Row extends BuiltRow> {
  context: WorkerContext;
  row: Row;
  lease: HeldLease;
  /** A temporary directory of this try's own. */
  directory: string;
}

type Rows<Row extends BuiltRow> = Pick<
  LeasedRows<BuiltState, Row>,
  "kind" | "get" | "acquire" | "renew" | "release" | "transition"
>;

interface Noun<Row extends BuiltRow> {
  rows: Rows<Row>;
  /** What the row is to have when it is ready. Throws PermanentFailure for what trying again cannot mend. */
  build(building: Building<Row>): Promise<Partial<Row>>;
}

const done: Outcome = { type: "done" };

export function builtTask<Row extends BuiltRow>(context: WorkerContext, noun: Noun<Row>): Task {
  const attempt = (row: Row, lease: HeldLease) =>
    inDirectory((directory) => run({ context, row, lease, directory }, noun));
  return leasedTask(context.config, { rows: noun.rows, working: builtLife.working, attempt });
}

async function run<Row extends BuiltRow>(building: Building<Row>, noun: Noun<Row>): Promise<Outcome> {
  const { context, row, lease } = building;
  try {
    if (row.failures >= context.config.maxAttempts) throw new Error("the worker died while at work on it");
    const built = await noun.build(building);
    if (!(await end(building, noun, "ready", built))) throw new Stopped("lost");
    return done;
  } catch (error) {
    if (error instanceof Stopped) return await putDown(building, noun, error);
    if (lease.signal.aborted) return await putDown(building, noun, new Stopped(lease.signal.reason as StopReason));
    if (error instanceof PermanentFailure) return await fail(building, noun, error);
    return await retryOrGiveUp(building, noun, error as Error);
  }
}

function end<Row extends BuiltRow>(
  { row, lease }: Building<Row>,
  { rows }: Noun<Row>,
  state: BuiltState,
  built: Partial<Row>,
): Promise<boolean> {
  const changes = { ...built, finished_at: Math.floor(Date.now() / 1000), lease: null };
  return rows.transition(row, state, { attempt: lease.attempt, changes });
}

async function putDown<Row extends BuiltRow>(
  { row, lease }: Building<Row>,
  { rows }: Noun<Row>,
  { reason }: Stopped,
): Promise<Outcome> {
  if (reason === "lost") return done;
  await rows.release(row, lease.attempt);
  return { type: "retry", seconds: 0 };
}

async function fail<Row extends BuiltRow>(
  building: Building<Row>,
  noun: Noun<Row>,
  { code, message, param }: PermanentFailure,
): Promise<Outcome> {
  await end(building, noun, "failed", { error: { code, message, param } } as Partial<Row>);
  return done;
}

async function retryOrGiveUp<Row extends BuiltRow>(
  building: Building<Row>,
  noun: Noun<Row>,
  error: Error,
): Promise<Outcome> {
  const { context, row, lease } = building;
  const failures = row.failures + 1;
  context.log.error({ [noun.rows.kind]: row.id, failures, error }, "attempt failed");
  if (failures < context.config.maxAttempts) {
    await noun.rows.release(row, lease.attempt, { failures } as Partial<Row>);
    return { type: "retry", seconds: 2 ** failures };
  }
  const message = `Gave up after ${context.config.maxAttempts} attempts: ${error.message.split("\n", 1)[0]}`;
  await fail(building, noun, new PermanentFailure("attempts_exhausted", message));
  return { type: "buried", cause: message };
}
