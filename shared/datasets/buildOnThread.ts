/** Builds a dataset version on a thread of its own: looking for like texts must not hold up whoever keeps the lease. */
import { onThread } from "../data/onThread.ts";
import type { Build, BuildRequest } from "./build.ts";

const limits = { maxOldGenerationSizeMb: 1024 };

/** As `buildVersion`. Aborting ends the thread and rejects with the signal's reason. */
export function buildOnThread(request: BuildRequest, signal?: AbortSignal): Promise<Build> {
  return onThread(new URL("./buildThread.ts", import.meta.url), request, limits, signal);
}
