/** The thread behind `buildOnThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { type BuildRequest, buildVersion } from "./build.ts";

parentPort!.postMessage(await buildVersion(workerData as BuildRequest));
