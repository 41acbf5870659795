/**
 * A device in the process that asks: no start of a second one and no copies, at the price that a run blocks everybody else
 * there and a crash takes them along. For a process that has one request at a time, such as a Lambda function's.
 */
import { availableParallelism } from "node:os";
import { type Device, DeviceError, type DeviceOptions, deviceOver, type Heard, heard, type Link } from "./device.ts";

/** Of one process there is one: threads and device are settled by the first. */
export function ownProcessDevice(options: DeviceOptions): Device {
  const { threads = 0, device = "cpu", memoryLimit = 0 } = options;
  const running = { threads: threads || availableParallelism(), device, memoryLimit };
  const calls = new Map<number, (reply: Heard) => void>();
  let made = 0;
  let alive = true;
  // Loaded at the first call: the runtime and all that computes are most of what there is to load.
  const load = async () => {
    const { answerRequests } = await import("./answering.ts");
    return answerRequests(running, (reply) => {
      const listen = calls.get(reply.call);
      if (reply.type !== "piece") calls.delete(reply.call);
      listen?.(heard(reply));
    });
  };
  let loading: ReturnType<typeof load> | undefined;
  const take = () => (loading ??= load());
  const link: Link = {
    open(name, argument, listen) {
      const call = made++;
      if (alive) calls.set(call, listen);
      else queueMicrotask(() => listen(new DeviceError("The device was ended")));
      const failed = (cause: unknown) => {
        calls.delete(call);
        listen(new DeviceError("The device could not be loaded", { cause }));
      };
      if (alive) take().then((answer) => answer({ type: "call", call, name, argument }), failed);
      return call;
    },
    cancel: (call) =>
      void take().then(
        (answer) => answer({ type: "cancel", call }),
        () => {},
      ),
    alive: () => alive,
  };
  const kill = () => {
    alive = false;
    for (const listen of calls.values()) listen(new DeviceError("The device was ended"));
    calls.clear();
  };
  return deviceOver(link, running.threads, kill);
}
