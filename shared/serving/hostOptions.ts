/** The model host's options as a deployment's environment has them. */
import type { Config } from "../config.ts";
import type { ModelHostOptions } from "./host.ts";
import { precisionOf } from "./variants.ts";

type Settings = Pick<
  Config,
  | "device"
  | "deviceThreads"
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
    adapterBytes: config.adapterBytes,
    maxWaitMilliseconds: config.batchWaitMilliseconds,
    mostWaiting: config.mostWaiting,
  };
}
