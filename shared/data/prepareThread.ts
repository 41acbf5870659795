/** The thread behind `prepareOnThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { type DatasetOptions, prepareDataset } from "./dataset.ts";

parentPort!.postMessage(await prepareDataset(workerData as DatasetOptions));
