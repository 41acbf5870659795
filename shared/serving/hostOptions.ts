/** The model host's options as a deployment's environment has them. */
import { availableParallelism } from "node:os";
import type { Config } from "../config.ts";
import { whatCudaLacks } from "../engine/runtime/deviceChoice.ts";
import type { ModelHostOptions } from "./host.ts";
import { precisionOf } from "./variants.ts";

type Settings = Pick<
  Config,
  | "device"
  | "deviceThreads"
  | "servingProcesses"
  | "deviceMemoryBytes"
  | "precision"
  | "adapterBytes"
  | "batchWaitMilliseconds"
  | "mostWaiting"
>;

export function hostOptions(config: Settings): ModelHostOptions {
  return {
    device: config.device,
    threads: config.deviceThreads,
    memoryLimit: config.deviceMemoryBytes,
    precisionOf: (base) => precisionOf(base, config),
    processes: config.servingProcesses || automatic(config),
    adapterBytes: config.adapterBytes,
    maxWaitMilliseconds: config.batchWaitMilliseconds,
    mostWaiting: config.mostWaiting,
  };
}

/** Each has a copy of every base. */
const mostProcesses = 4;

/** Two batches on a thread each end sooner than one after the other on two. */
function automatic({ device, deviceThreads }: Settings): number {
  const isCpu = device === "cpu" || (device === "auto" && whatCudaLacks().length > 0);
  return isCpu ? Math.min(deviceThreads || availableParallelism(), mostProcesses) : 1;
}
