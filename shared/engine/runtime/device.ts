/** A device is a child process; this is its handle. When it dies its work fails with DeviceError and the parent lives on. */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import type { BaseDirectory, TrainingEvent, TrainingRequest } from "../training/train.ts";
import { whenEnded } from "./childProcess.ts";
import { cudaRefusal, type DeviceChoice } from "./deviceChoice.ts";
import type { DeviceReply, DeviceRequest, Prediction } from "./deviceProtocol.ts";

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

export interface Predictions {
  labels: string[];
  predictions: Prediction[];
}

export interface Device {
  /** Threads its sessions use; results repeat bit for bit for one number of threads. */
  readonly threads: number;
  /** False once the process has ended. */
  readonly alive: boolean;
  /** Yields what happens. When `signal` aborts, the last event is a checkpoint of the step then running. */
  train(request: Omit<TrainingRequest, "threads">, signal: AbortSignal): AsyncGenerator<TrainingEvent>;
  /** Loads the model file if it is not loaded, with the directory of its base where it has one. Throws DeviceError. */
  predict(artifact: string, texts: readonly string[], base?: BaseDirectory | null): Promise<Predictions>;
  unload(artifact: string): void;
  /** Ends the process at once, whatever it is doing. */
  kill(): void;
}

type Listener = (reply: DeviceReply | DeviceError) => void;

export interface DeviceOptions {
  /** 0: one per core. */
  readonly threads: number;
  /** Default "cpu". */
  readonly device?: DeviceChoice | undefined;
  /** Bytes the process may plan to use. Default 0: most of what the machine has. */
  readonly memoryLimit?: number;
}

/** Throws DeviceError where CUDA is asked for by name and not there, saying what is missing. */
export function startDevice({ threads: asked, device = "cpu", memoryLimit = 0 }: DeviceOptions): Device {
  const refusal = device === "cuda" && cudaRefusal();
  if (refusal) throw new DeviceError(refusal);
  const threads = asked || availableParallelism();
  const child = fork(new URL("./deviceProcess.ts", import.meta.url), [String(threads), device, String(memoryLimit)], {
    serialization: "advanced",
    execArgv: [],
  });
  const link = connect(child);
  let calls = 0;
  return {
    threads,
    get alive() {
      return link.alive();
    },
    train: (request, signal) => training(link, { ...request, threads }, signal),
    predict(artifact, texts, base = null) {
      const call = calls++;
      return new Promise((resolve, reject) => {
        const off = link.listen((reply) => {
          const answer = predictionOf(reply, call);
          if (!answer) return;
          off();
          if (answer instanceof DeviceError) reject(answer);
          else resolve(answer);
        });
        link.send({ type: "predict", call, artifact, base, texts: [...texts] });
      });
    },
    unload: (artifact) => link.send({ type: "unload", artifact }),
    kill: () => void child.kill("SIGKILL"),
  };
}

function predictionOf(reply: DeviceReply | DeviceError, call: number): Predictions | DeviceError | undefined {
  if (reply instanceof DeviceError) return reply;
  if (reply.type === "predicted" && reply.call === call) return reply;
  if (reply.type === "failed" && reply.call === call) return new DeviceError(reply.message);
  return undefined;
}

async function* training(link: Link, request: TrainingRequest, signal: AbortSignal): AsyncGenerator<TrainingEvent> {
  const waiting: (DeviceReply | DeviceError)[] = [];
  let wake = () => {};
  const off = link.listen((reply) => {
    waiting.push(reply);
    wake();
  });
  const stop = () => link.send({ type: "stop" });
  signal.addEventListener("abort", stop, { once: true });
  try {
    link.send({ type: "train", request });
    if (signal.aborted) stop();
    for (;;) {
      const reply = waiting.shift();
      if (reply === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (reply instanceof DeviceError) throw reply;
      else if (reply.type === "failed") throw new DeviceError(reply.message, { code: reply.code });
      else if (reply.type === "trained") return;
      else if (reply.type === "training") yield reply.event;
    }
  } finally {
    off();
    signal.removeEventListener("abort", stop);
  }
}

interface Link {
  send(request: DeviceRequest): void;
  /** Returns how to stop listening. Also hears of the process's end, at once if it has ended already. */
  listen(listener: Listener): () => void;
  alive(): boolean;
}

function connect(child: ChildProcess): Link {
  const listeners = new Set<Listener>();
  let ended: DeviceError | undefined;
  const tell = (reply: DeviceReply | DeviceError) => {
    for (const listener of [...listeners]) listener(reply);
  };
  const end = (how: string) => {
    ended ??= new DeviceError(`The device process ${how}`);
    tell(ended);
  };
  child.on("message", (reply) => tell(reply as DeviceReply));
  whenEnded(child, end);
  return {
    // A message to a process that is gone is answered by its exit, so the error of sending adds nothing.
    send: (request) => void (ended || child.send(request, () => {})),
    listen(listener) {
      listeners.add(listener);
      if (ended) queueMicrotask(() => listener(ended!));
      return () => listeners.delete(listener);
    },
    alive: () => !ended,
  };
}
