/** The thread behind `compareOnThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { type CompareRequest, compare } from "./compare.ts";

parentPort!.postMessage(compare(workerData as CompareRequest));
