/** What a training step takes of memory, measured in a process of its own, beside what its report says. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { SizedModelName } from "./sizedModels.ts";

export interface PeakRequest {
  readonly model: SizedModelName;
  readonly batch: number;
  readonly sequence: number;
  readonly steps: number;
  readonly recompute?: boolean;
}

export interface MeasuredPeak {
  /** Bytes by which the resident set at its highest exceeds that before the first tensor was made. */
  readonly measured: number;
  /** Bytes, as `memoryReport` says. */
  readonly predicted: number;
  /** Bytes resident before the first tensor was made. */
  readonly before: number;
  /** Of the last step. */
  readonly loss: number;
}

export async function measurePeak(request: PeakRequest): Promise<MeasuredPeak> {
  const script = fileURLToPath(new URL("./measurePeak.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, JSON.stringify(request)]);
  return JSON.parse(stdout) as MeasuredPeak;
}
