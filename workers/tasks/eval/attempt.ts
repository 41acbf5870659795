/** One try at an eval run by one worker: what its steps share. */
import type { EvalRecord } from "../../../shared/schemas/eval.ts";
import type { EvalRunRecord } from "../../../shared/schemas/evalRun.ts";
import type { ProjectRecord } from "../../../shared/schemas/project.ts";
import { type HeldLease, Stopped, type StopReason } from "../../lease.ts";
import type { WorkerContext } from "../context.ts";

export interface Attempt {
  context: WorkerContext;
  /** The row as it was last read, and what this attempt changed since. */
  run: EvalRunRecord;
  eval: EvalRecord;
  project: ProjectRecord;
  lease: HeldLease;
  /** A temporary directory of this attempt's own. */
  directory: string;
  /** Aborts with `Stopped`. */
  halt: AbortSignal;
}

export function haltOf({ signal }: HeldLease): AbortSignal {
  const halt = new AbortController();
  const stop = () => halt.abort(new Stopped(signal.reason as StopReason));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  return halt.signal;
}
