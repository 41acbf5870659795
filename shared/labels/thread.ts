/** The thread behind `rankOnThread` and `examineOnThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { examine } from "./doctor.ts";
import type { ThreadRequest } from "./onThread.ts";
import { rank } from "./rank.ts";

const asked = workerData as ThreadRequest;
if (asked.type === "rank") parentPort!.postMessage(rank(asked.request));
else {
  const { suspects, noise, agreement } = examine(asked.request);
  parentPort!.postMessage({ suspects, noise, agreement });
}
