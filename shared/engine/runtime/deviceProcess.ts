/** The device process: sessions live here, where blocking, leaking or crashing hurts nobody else. */
import { MemoryError } from "../memory/plan.ts";
import { endWithParent } from "./childProcess.ts";
import type { DeviceChoice } from "./deviceChoice.ts";
import type { DeviceReply, DeviceRequest, Implementation } from "./deviceProtocol.ts";
import { useThreads } from "./deviceThreads.ts";
import { functions } from "./functions/index.ts";
import { limitMemory } from "./memoryLimit.ts";
import { useDevice } from "./session.ts";

useThreads(Number(process.argv[2]));
useDevice(process.argv[3] as DeviceChoice);
limitMemory(Number(process.argv[4]));

/** Whoever no longer listens has ended, and `disconnect` tells of it. */
const send = (reply: DeviceReply) => void process.send?.(reply, () => {});

endWithParent();

/** Calls at work, by number. */
const calls = new Map<number, AbortController>();

process.on("message", (request: DeviceRequest) => {
  if (request.type === "cancel") calls.get(request.call)?.abort();
  else void answer(request);
});

async function answer({ call, name, argument }: DeviceRequest & { type: "call" }): Promise<void> {
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
}
