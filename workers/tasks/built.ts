/** The task behind rows that are built once: at least once in, one content out, whoever builds it how often. */
import { type BuiltState, builtLife } from "../../shared/builtStates.ts";
import type { LeasedRow, LeasedRows } from "../../shared/stores/leasedRows.ts";
import { type HeldLease, Stopped } from "../lease.ts";
import { inDirectory, leasedTask } from "../leasedTask.ts";
import { tryOnce } from "../oneTry.ts";
import type { Outcome, Task } from "../task.ts";
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

export function builtTask<Row extends BuiltRow>(context: WorkerContext, noun: Noun<Row>): Task {
  const attempt = (row: Row, lease: HeldLease) =>
    inDirectory((directory) => run({ context, row, lease, directory }, noun));
  return leasedTask(context.config, { rows: noun.rows, working: builtLife.working, attempt });
}

function run<Row extends BuiltRow>(building: Building<Row>, { rows, build }: Noun<Row>): Promise<Outcome> {
  const { context, row, lease } = building;
  const end = (state: BuiltState, built: Partial<Row>) => {
    const changes = { ...built, finished_at: Math.floor(Date.now() / 1000), lease: null };
    return rows.transition(row, state, { attempt: lease.attempt, changes });
  };
  return tryOnce({
    ...{ context, rows, row, lease },
    async work() {
      if (!(await end("ready", await build(building)))) throw new Stopped("lost");
    },
    fail: ({ code, message, param }) => end("failed", { error: { code, message, param } } as Partial<Row>),
  });
}
