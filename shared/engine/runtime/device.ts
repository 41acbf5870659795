/** A device is a child process; this is its handle. When it dies its work fails with DeviceError and the parent lives on. */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { whenEnded } from "./childProcess.ts";
import { cudaRefusal, type DeviceChoice } from "./deviceChoice.ts";
import type { ArgumentOf, DeviceReply, DeviceRequest, FunctionName, PieceOf, ResultOf } from "./deviceProtocol.ts";

/** The device process failed or died; the work may be tried again on a new device. */
export class DeviceError extends Error {
  override name = "DeviceError";
  /** Why trying again is of no use, such as `insufficient_memory`; absent where it may be. */
  readonly code?: string;

  constructor(message: string, { code, ...options }: ErrorOptions & { code?: string | undefined } = {}) {
    super(message, options);
    if (code !== undefined) this.code = code;
  }
}

export interface Device {
  /** Threads its sessions use; results repeat bit for bit for one number of threads. */
  readonly threads: number;
  /** False once the process has ended. */
  readonly alive: boolean;
  /** Calls a function that answers once. Throws DeviceError. */
  call<Name extends FunctionName>(name: Name, argument: ArgumentOf<Name>): Promise<ResultOf<Name>>;
  /**
   * Calls a function that tells what happens while it works. When `signal` aborts, or the iteration is given up, the
   * function is told to end. Throws DeviceError.
   */
  stream<Name extends FunctionName>(
    name: Name,
    argument: ArgumentOf<Name>,
    signal?: AbortSignal,
  ): AsyncGenerator<PieceOf<Name>, ResultOf<Name>>;
  /** Ends the process at once, whatever it is doing. */
  kill(): void;
}

export interface DeviceOptions {
  /** 0: one per core. */
  readonly threads: number;
  /** Default "cpu". */
  readonly device?: DeviceChoice | undefined;
  /** Bytes the process may plan to use. Default 0: most of what the machine has. */
  readonly memoryLimit?: number;
  /** For one that loads and lets go for days, see `givingBack`. Default false: training steps would take a tenth longer. */
  readonly givesMemoryBack?: boolean;
  /** What makes a device instead of a child process. */
  readonly make?: (options: DeviceOptions) => Device;
}

/**
 * glibc takes a block of 128 KiB or more from the system, and gives it back, until one has been freed: from then on it
 * takes such blocks, up to 32 MiB, from a heap that long stays as large as it ever was. The threshold, once told, does not
 * move.
 */
export const givingBack = { MALLOC_MMAP_THRESHOLD_: "131072" };

/**
 * Young objects of JavaScript get 2 MiB and not 16: a batch makes few, but its tensors hang on them, and go when they are
 * looked through. Left alone, some 30 MiB of heap and as much of tensors came and went.
 */
const smallYoungSpace = "--max-semi-space-size=2";

/** Throws DeviceError where CUDA is asked for by name and not there, saying what is missing. */
export function startDevice(options: DeviceOptions): Device {
  const { threads: asked, device = "cpu", memoryLimit = 0, givesMemoryBack = false, make } = options;
  if (make) return make(options);
  const refusal = device === "cuda" && cudaRefusal();
  if (refusal) throw new DeviceError(refusal);
  const threads = asked || availableParallelism();
  const child = fork(new URL("./deviceProcess.ts", import.meta.url), [String(threads), device, String(memoryLimit)], {
    env: givesMemoryBack ? { ...givingBack, ...process.env } : process.env,
    serialization: "advanced",
    execArgv: givesMemoryBack ? [smallYoungSpace] : [],
  });
  return deviceOver(connect(child), threads, () => void child.kill("SIGKILL"));
}

/** A device whose calls go through the link. */
export function deviceOver(link: Link, threads: number, kill: () => void): Device {
  return {
    threads,
    get alive() {
      return link.alive();
    },
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        link.open(name, argument, (reply) => {
          if (reply instanceof DeviceError) reject(reply);
          else if (reply.type === "result") resolve(reply.result as never);
        });
      }),
    stream: (name, argument, signal) => stream(link, name, argument, signal),
    kill,
  };
}

export type Heard = Exclude<DeviceReply, { type: "failed" }> | DeviceError;

async function* stream<Name extends FunctionName>(
  link: Link,
  name: Name,
  argument: ArgumentOf<Name>,
  signal?: AbortSignal,
): AsyncGenerator<PieceOf<Name>, ResultOf<Name>> {
  const waiting: Heard[] = [];
  let wake = () => {};
  let ended = false;
  const call = link.open(name, argument, (reply) => {
    waiting.push(reply);
    wake();
  });
  const cancel = () => link.cancel(call);
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    for (;;) {
      const reply = waiting.shift();
      if (reply === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      ended = reply instanceof DeviceError || reply.type === "result";
      if (reply instanceof DeviceError) throw reply;
      if (reply.type === "result") return reply.result as ResultOf<Name>;
      yield reply.piece as PieceOf<Name>;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    if (!ended) cancel();
  }
}

export interface Link {
  /** Starts a call and returns its number. `listen` hears its replies, the last of which is its result or an error. */
  open(name: FunctionName, argument: unknown, listen: (reply: Heard) => void): number;
  cancel(call: number): void;
  alive(): boolean;
}

export function heard(reply: DeviceReply): Heard {
  return reply.type === "failed" ? new DeviceError(reply.message, { code: reply.code }) : reply;
}

function connect(child: ChildProcess): Link {
  const calls = new Map<number, (reply: Heard) => void>();
  let made = 0;
  let ended: DeviceError | undefined;
  // A message to a process that is gone is answered by its exit, so the error of sending adds nothing.
  const send = (request: DeviceRequest) => void (ended || child.send(request, () => {}));
  child.on("message", (message) => {
    const reply = message as DeviceReply;
    const listen = calls.get(reply.call);
    if (reply.type !== "piece") calls.delete(reply.call);
    listen?.(heard(reply));
  });
  whenEnded(child, (how) => {
    ended ??= new DeviceError(`The device process ${how}`);
    for (const listen of calls.values()) listen(ended);
    calls.clear();
  });
  return {
    open(name, argument, listen) {
      const call = made++;
      if (ended) queueMicrotask(() => listen(ended!));
      else calls.set(call, listen);
      send({ type: "call", call, name, argument });
      return call;
    },
    cancel: (call) => send({ type: "cancel", call }),
    alive: () => !ended,
  };
}
