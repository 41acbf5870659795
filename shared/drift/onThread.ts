/** Comparing on a thread of its own: a thousand permutations take a second that nobody else should wait. */
import { onThread } from "../data/onThread.ts";
import type { CompareRequest, Comparison } from "./compare.ts";

const limits = { maxOldGenerationSizeMb: 512 };

/** As `compare`. Aborting ends the thread and rejects with the signal's reason. */
export function compareOnThread(request: CompareRequest, signal?: AbortSignal): Promise<Comparison> {
  return onThread(new URL("./thread.ts", import.meta.url), request, limits, signal);
}
