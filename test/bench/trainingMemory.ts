/**
 * The most memory a process holds that does nothing but train: run as `node trainingMemory.ts METHOD PRECISION`, it
 * prints MiB. Its parent asks with `peakMebibytes`.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { batchOf, type Method, workload } from "./trainingModel.ts";
import { int8Stepper, stepper } from "./trainingStepper.ts";

const precisions = { float32: stepper, int8: int8Stepper };
export type Precision = keyof typeof precisions;
const steps = 4;

export async function peakMebibytes(method: Method, precision: Precision, batch: number, sequence: number) {
  const args = [fileURLToPath(import.meta.url), method, precision, String(batch), String(sequence)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

/** A child's maxRSS starts with what its parent held; Linux's VmHWM is its own. */
function peak(): number {
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? process.resourceUsage().maxRSS) / 1024;
}

if (import.meta.main) {
  const [method, precision, batch, sequence] = process.argv.slice(2) as [Method, Precision, string, string];
  const { run } = await precisions[precision](workload(method));
  for (let step = 0; step < steps; step++) await run(batchOf(Number(batch), Number(sequence)));
  console.log(peak());
}
