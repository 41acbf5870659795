/** Whether a training step fits into a limit, and, where it does not, into how many micro-batches it must be cut. */
import { accumulationStep, applyStep } from "../accumulation.ts";
import { type TrainingStepOptions, trainingStep } from "../trainingStep.ts";
import { describeReport, type MemoryReport, mebibytes, memoryReport, runtimeBytes } from "./report.ts";
import type { Bindings } from "./sizes.ts";

/** Not even one row at a time fits; the message says what needs how much of which limit. */
export class MemoryError extends Error {
  override name = "MemoryError";
}

export interface MicroBatchOptions {
  readonly step: TrainingStepOptions;
  /** Rows of one optimizer step. */
  readonly rows: number;
  /** Sizes of the other symbolic dimensions, such as `{ sequence: 128 }`; the longest that will be fed. */
  readonly bindings: Bindings;
  /** Bytes the device process may take. */
  readonly limit: number;
  /** The symbolic dimension that counts rows. Default "batch". */
  readonly batch?: string;
  /** Bytes the process takes before any step. Default `runtimeBytes`. */
  readonly overhead?: number;
}

export interface MicroBatchPlan {
  /** Rows at a time; all of them where one step fits. */
  readonly rows: number;
  /** How many micro-batches make a step: above 1, run `accumulationStep` so often and then `applyStep`. */
  readonly count: number;
  readonly report: MemoryReport;
}

/** The largest micro-batches, as even as may be, that fit. Throws MemoryError where one row does not fit either. */
export function planMicroBatch(options: MicroBatchOptions): MicroBatchPlan {
  const { step, rows, limit, overhead = runtimeBytes } = options;
  const fits = ({ total, loading }: MemoryReport) => Math.max(total, loading) + overhead <= limit;
  const bound = (count: number) => ({ ...options.bindings, [options.batch ?? "batch"]: count });
  const whole = memoryReport(trainingStep(step), bound(rows));
  if (fits(whole)) return { rows, count: 1, report: whole };
  const reportOf = accumulating(options);
  const least = reportOf(bound(1));
  if (!fits(least)) throw new MemoryError(refusal(least, limit, overhead));
  // What fits grows no smaller with fewer rows, so the boundary is found by halving.
  let [low, high] = [1, rows];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(reportOf(bound(middle)))) low = middle;
    else high = middle;
  }
  const count = Math.ceil(rows / low);
  const even = Math.ceil(rows / count);
  return { rows: even, count, report: reportOf(bound(even)) };
}

/** While gradients are added up the optimizer's state waits in the host; when it is its turn, there are no activations. */
function accumulating({ step }: MicroBatchOptions): (bindings: Bindings) => MemoryReport {
  const adding = accumulationStep(step);
  const applying = applyStep(step);
  return (bindings) => {
    const [during, after] = [memoryReport(adding, bindings), memoryReport(applying, bindings)];
    const waiting = Math.max(0, after.groups.optimizer - during.groups.optimizer);
    const groups = { ...during.groups, optimizer: during.groups.optimizer + waiting };
    const held = { ...during, groups, total: during.total + waiting };
    return held.total >= after.total ? held : after;
  };
}

function refusal(report: MemoryReport, limit: number, overhead: number): string {
  const needed = `one row at a time needs ${mebibytes(Math.max(report.total, report.loading) + overhead)} of ${mebibytes(limit)}`;
  const loading =
    report.loading > report.total ? ` (loading its frozen weights takes ${mebibytes(report.loading)})` : "";
  const cures = "recompute activations between layers, shorten the sequence, train fewer weights, or use more memory";
  return `${needed}: the process ${mebibytes(overhead)}, and ${describeReport(report)}${loading}. To mend: ${cures}`;
}
