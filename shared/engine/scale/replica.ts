/** A replica: a child process that holds a model's tensors and runs its graphs, one of several that train together. */
import { fork } from "node:child_process";
import { whenEnded } from "../runtime/childProcess.ts";
import { DeviceError } from "../runtime/device.ts";
import type { SessionOptions } from "../runtime/session.ts";
import type {
  ReplicaReply,
  ReplicaRequest,
  ReplicaResults,
  ReplicaRun,
  ReplicaWork,
  Tensors,
} from "./replicaProtocol.ts";

/** The process is gone, and what it held with it; its work may be done again elsewhere. */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
}

/** Calls reject with DeviceLostError where the process has ended, and with DeviceError where the work itself is at fault. */
export interface Replica {
  /** False once the process has ended. */
  readonly alive: boolean;
  /** Makes a model from `toOnnx` known by a name. */
  load(name: string, model: Uint8Array): Promise<void>;
  /** Keeps tensors, by the names of the inputs they are for. */
  hold(tensors: Tensors): Promise<void>;
  get(names: readonly string[]): Promise<Tensors>;
  run(request: ReplicaRun): Promise<ReplicaResults>;
  /** Ends the process at once, whatever it is doing. */
  kill(): void;
}

interface Waiting {
  readonly resolve: (results: ReplicaResults) => void;
  readonly reject: (error: DeviceError) => void;
}

/** `name` tells it from others in errors. */
export function startReplica(name: string, options: SessionOptions = {}): Replica {
  const child = fork(new URL("./replicaProcess.ts", import.meta.url), [], { serialization: "advanced", execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended: DeviceLostError | undefined;
  const end = (how: string) => {
    ended ??= new DeviceLostError(`${name} ${how}`);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  child.on("message", (reply: ReplicaReply) => {
    const caller = waiting.get(reply.call);
    waiting.delete(reply.call);
    if ("done" in reply) caller?.resolve(reply.done);
    else caller?.reject(new DeviceError(`${name}: ${reply.failed}`));
  });
  whenEnded(child, end);
  const call = (work: ReplicaWork) =>
    new Promise<ReplicaResults>((resolve, reject) => {
      if (ended) return reject(ended);
      waiting.set(calls, { resolve, reject });
      // A message to a process that is gone is answered by its exit, so the error of sending adds nothing.
      child.send({ call: calls++, work } satisfies ReplicaRequest, () => {});
    });
  return {
    get alive() {
      return !ended;
    },
    load: async (model, bytes) => void (await call({ type: "load", name: model, model: bytes, options })),
    hold: async (tensors) => void (await call({ type: "hold", tensors })),
    get: async (names) => (await call({ type: "get", names })).last,
    run: (request) => call({ type: "run", request }),
    kill() {
      child.kill("SIGKILL");
      end("was killed");
    },
  };
}
