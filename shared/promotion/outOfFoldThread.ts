/** The thread behind `answersOnThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { answersOf, type Labelled } from "./outOfFold.ts";

parentPort!.postMessage(answersOf(workerData as Labelled));
