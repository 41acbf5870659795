/** Work with much data on a thread of its own, which may not take more memory than it is allowed, and can be called off. */
import { type ResourceLimits, Worker } from "node:worker_threads";

/** Runs a module that posts one message: its result. Aborting ends the thread and rejects with the signal's reason. */
export async function onThread<Result>(
  module: URL,
  workerData: unknown,
  resourceLimits: ResourceLimits,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const worker = new Worker(module, { workerData, resourceLimits });
  const abort = () => void worker.terminate();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise<Result>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(signal?.aborted ? signal.reason : new Error(`The thread ended (${code})`)));
    });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
