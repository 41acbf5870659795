/** How much of memory and patience the model host may take. */
import type { Precision } from "../engine/quantization/serving.ts";
import type { BaseContent } from "../schemas/baseContent.ts";

export interface ServingLimits {
  /** In which precision a base is served. */
  precisionOf(base: BaseContent): Precision;
  /** The most that adapters of one base may take in memory. */
  adapterBytes: number;
  /** Bytes of model files kept on disk. */
  fileBytes: number;
  /**
   * Device processes, among which the threads are divided for bases of up to `spreadBytes`: each has a copy, and batches
   * run beside each other.
   */
  processes: number;
  spreadBytes: number;
  /** The most tokens of a batch, padding included. */
  tokenBudget: number;
  /** What a run costs a device process whatever it holds, in tokens: texts are padded no further than that is worth. */
  runTokens: number;
  /** The most texts of a batch. */
  mostRows: number;
  /** Texts that may wait for their batch; more are refused. */
  mostWaiting: number;
  /** How long an idle device waits for company, where the batch before had some. */
  maxWaitMilliseconds: number;
}

export const usualLimits: ServingLimits = {
  precisionOf: () => "float32",
  adapterBytes: 512 * 1024 * 1024,
  fileBytes: 1024 * 1024 * 1024,
  processes: 1,
  spreadBytes: 512 * 1024 * 1024,
  // A product of more tokens is no faster, and makes others wait.
  tokenBudget: 1024,
  // Of one thread, measured on an encoder of MiniLM's size: 16 in int8, 9 in float32.
  runTokens: 16,
  mostRows: 64,
  mostWaiting: 4096,
  maxWaitMilliseconds: 2,
};
