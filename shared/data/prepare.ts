/**
 * Prepares a dataset on a thread of its own: reading half a gigabyte must neither hold up whoever keeps the job's lease
 * nor take more memory than the thread is allowed.
 */
import type { Dataset, DatasetOptions } from "./dataset.ts";
import { onThread } from "./onThread.ts";

/** Short-lived rows would let the young generation grow to three times this for nothing. */
const limits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 };

/** As `prepareDataset`. Aborting ends the thread and rejects with the signal's reason; the directory is the caller's to remove. */
export function prepareOnThread(options: DatasetOptions, signal?: AbortSignal): Promise<Dataset> {
  return onThread(new URL("./prepareThread.ts", import.meta.url), options, limits, signal);
}
