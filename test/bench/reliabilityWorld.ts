/** A deployment of processes that can be killed: two APIs and two workers, with faults between them and the cloud. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cloud, openCloud } from "../support/deployment.ts";
import { type Faults, startFaults } from "../support/faults/start.ts";
import { commandOf, descendantsOf } from "../support/processes.ts";
import { until } from "../support/until.ts";

export type ProcessKind = "api" | "worker";

interface Running {
  kind: ProcessKind;
  child: ChildProcess | undefined;
  /** Where it listens; of an API alone. */
  origin: string | undefined;
}

export interface World {
  cloud: Cloud;
  faults: Faults;
  /** One that listens, or did a moment ago: the `drawn`-th. */
  origin(drawn: number): string;
  /** SIGKILL, and another one in its place; returns its kind. Device processes that stay behind are told by `orphans`. */
  kill(drawn: number): Promise<ProcessKind>;
  /** Waits until processes of the killed are gone; those that are not. */
  orphans(): Promise<number[]>;
  /** Files that hold what the processes logged. */
  logs: Record<ProcessKind, string>;
  close(): Promise<void>;
}

/** Leases long enough for a call that is tried again, and short enough to see many of them run out. */
const settings = {
  MILLRACE_LEASE_SECONDS: "10",
  MILLRACE_SWEEP_SECONDS: "5",
  MILLRACE_POLL_SECONDS: "0.5",
  MILLRACE_CHECKPOINT_SECONDS: "2",
  MILLRACE_DEVICE: "cpu",
  MILLRACE_DEVICE_THREADS: "1",
  MILLRACE_SERVING_PROCESSES: "1",
  MILLRACE_WEBHOOK_LOCAL: "true",
  MILLRACE_LOG_LEVEL: "info",
};
const programs: Record<ProcessKind, string> = { api: "../../api/server.ts", worker: "../../workers/main.ts" };
const usualKinds: readonly ProcessKind[] = ["api", "api", "worker", "worker"];
/** A device process sees that its parent is gone when it looks up from its batch. */
const orphanSeconds = 30;

export async function openWorld(seed: number, kinds = usualKinds): Promise<World> {
  const cloud = await openCloud();
  const faults = await startFaults(cloud.environment, { seed, share: 0 });
  const TMPDIR = join(cloud.home, "tmp");
  mkdirSync(TMPDIR, { recursive: true });
  const logs = { api: join(cloud.home, "api.log"), worker: join(cloud.home, "worker.log") };
  const env = { ...process.env, ...faults.environment, ...settings, TMPDIR };
  /** Commands by process id, which may be somebody else's later. */
  const left = new Map<number, string>();
  let isClosing = false;

  const start = async (running: Running): Promise<void> => {
    const { kind } = running;
    const log = openSync(logs[kind], "a");
    const program = fileURLToPath(new URL(programs[kind], import.meta.url));
    const child = fork(program, { env, stdio: ["ignore", log, log, "ipc"] });
    running.child = child;
    const ended = once(child, "exit").then(() => undefined);
    const [message] = ((await Promise.race([once(child, "message"), ended])) ?? []) as { listening?: number }[];
    if (message?.listening) running.origin = `http://127.0.0.1:${message.listening}`;
    // One that ends by itself is started again, as any orchestrator would.
    void ended.then(async () => {
      if (running.child === child && !isClosing) await start(running);
    });
  };
  const all: Running[] = kinds.map((kind) => ({ kind, child: undefined, origin: undefined }));
  await Promise.all(all.map(start));
  const apis = all.filter(({ kind }) => kind === "api");

  return {
    cloud,
    faults,
    logs,
    origin: (drawn) => apis[drawn % apis.length]!.origin!,
    async kill(drawn) {
      const running = all[drawn % all.length]!;
      const { kind, child } = running;
      if (child?.pid === undefined || child.exitCode !== null) return kind;
      for (const pid of descendantsOf(child.pid)) left.set(pid, commandOf(pid));
      running.child = undefined;
      child.kill("SIGKILL");
      await start(running);
      return kind;
    },
    async orphans() {
      const alive = () => [...left].flatMap(([pid, command]) => (isSame(pid, command) ? [pid] : []));
      await until(() => alive().length === 0, { what: "processes of the killed", seconds: orphanSeconds }).catch(
        () => {},
      );
      return alive();
    },
    async close() {
      isClosing = true;
      const ends = all.map(async ({ child }) => {
        if (!child || child.exitCode !== null) return;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      });
      await Promise.all(ends);
      await faults.close();
      await cloud.close();
    },
  };
}

function isSame(pid: number, command: string): boolean {
  try {
    return commandOf(pid) === command;
  } catch {
    return false;
  }
}
