/**
 * Prepares a dataset on a thread of its own: reading half a gigabyte must neither hold up whoever keeps the job's lease
 * nor take more memory than the thread is allowed.
 */
import { Worker } from "node:worker_threads";
import type { Dataset, DatasetOptions } from "./dataset.ts";

/** Short-lived rows would let the young generation grow to three times this for nothing. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 };

/** As `prepareDataset`. Aborting ends the thread and rejects with the signal's reason; the directory is the caller's to remove. */
export async function prepareOnThread(options: DatasetOptions, signal?: AbortSignal): Promise<Dataset> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./prepareThread.ts", import.meta.url), { workerData: options, resourceLimits });
  const abort = () => void worker.terminate();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise<Dataset>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(signal?.aborted ? signal.reason : new Error(`Preparing stopped (${code})`)));
    });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
