/** The model host's options as a deployment's environment has them. */
import { availableParallelism } from "node:os";
import type { Config } from "../config.ts";
import { whatCudaLacks } from "../engine/runtime/deviceChoice.ts";
import type { ModelHostOptions } from "./host.ts";
import { usualLimits } from "./limits.ts";
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
  const processes = config.servingProcesses || automatic(config);
  return {
    device: config.device,
    threads: config.deviceThreads,
    memoryLimit: config.deviceMemoryBytes,
    precisionOf: (base) => precisionOf(base, config),
    processes,
    runTokens: runTokens(config, processes),
    adapterBytes: config.adapterBytes,
    maxWaitMilliseconds: config.batchWaitMilliseconds,
    mostWaiting: config.mostWaiting,
  };
}

/** Each has a copy of every base. */
const mostProcesses = 4;

/** Two batches on a thread each end sooner than one after the other on two. */
function automatic(settings: Settings): number {
  return isCpu(settings) ? Math.min(threadsOf(settings), mostProcesses) : 1;
}

/** Threads of one process wait for each other; an accelerator is busy with large batches alone. */
function runTokens(settings: Settings, processes: number): number {
  if (!isCpu(settings)) return usualLimits.tokenBudget;
  return usualLimits.runTokens * Math.max(1, Math.floor(threadsOf(settings) / processes));
}

const threadsOf = ({ deviceThreads }: Settings) => deviceThreads || availableParallelism();

function isCpu({ device }: Settings): boolean {
  return device === "cpu" || (device === "auto" && whatCudaLacks().length > 0);
}
