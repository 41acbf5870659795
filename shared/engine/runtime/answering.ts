/** How a process answers what its device is asked: the functions are run, and every call ends in one reply. */
import { MemoryError } from "../memory/plan.ts";
import type { DeviceChoice } from "./deviceChoice.ts";
import type { DeviceReply, DeviceRequest, Implementation } from "./deviceProtocol.ts";
import { useThreads } from "./deviceThreads.ts";
import { functions } from "./functions/index.ts";
import { limitMemory } from "./memoryLimit.ts";
import { useDevice } from "./session.ts";

export interface Running {
  threads: number;
  device: DeviceChoice;
  /** Bytes; 0: most of what the machine has. */
  memoryLimit: number;
}

/** Settles what sessions of this process run on, and returns what takes requests. */
export function answerRequests(
  { threads, device, memoryLimit }: Running,
  send: (reply: DeviceReply) => void,
): (request: DeviceRequest) => void {
  useThreads(threads);
  useDevice(device);
  limitMemory(memoryLimit);
  /** Calls at work, by number. */
  const calls = new Map<number, AbortController>();

  const answer = async ({ call, name, argument }: DeviceRequest & { type: "call" }): Promise<void> => {
    const controller = new AbortController();
    calls.set(call, controller);
    try {
      const tell = (piece: unknown) => send({ type: "piece", call, piece });
      const run = functions[name] as unknown as Implementation<"predict">;
      send({ type: "result", call, result: await run(argument as never, { signal: controller.signal, tell }) });
    } catch (error) {
      const code = error instanceof MemoryError ? { code: "insufficient_memory" } : undefined;
      const message = code ? (error as Error).message : ((error as Error).stack ?? String(error));
      send({ type: "failed", call, message, ...code });
    } finally {
      calls.delete(call);
    }
  };

  return (request) => {
    if (request.type === "cancel") calls.get(request.call)?.abort();
    else void answer(request);
  };
}
