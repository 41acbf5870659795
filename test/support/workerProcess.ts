/** Workers as processes of their own, to be stopped, frozen and killed. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cloud } from "./deployment.ts";
import { childrenOf } from "./processes.ts";
import { type SearchedLog, searchedLevel, searchLog } from "./searchedLogs.ts";

export interface WorkerProcess {
  process: ChildProcess;
  /** Of its devices, too. */
  log: SearchedLog;
  /** Sends the signal, and resolves with the exit code (null after a kill) when the process has ended. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Process ids of the devices it has running. */
  devices(): number[];
}

const program = fileURLToPath(new URL("../../workers/main.ts", import.meta.url));

/** Quick to notice everything: a lease of two seconds, five looks a second. */
const impatient = {
  MILLRACE_LEASE_SECONDS: "2",
  MILLRACE_POLL_SECONDS: "0.2",
  MILLRACE_SWEEP_SECONDS: "1",
  MILLRACE_DEVICE_THREADS: "1",
  MILLRACE_LOG_LEVEL: searchedLevel,
};

export async function startWorker(
  cloud: Pick<Cloud, "environment" | "home">,
  environment: Record<string, string> = {},
): Promise<WorkerProcess> {
  // What killed workers leave behind goes away with the cloud.
  const TMPDIR = join(cloud.home, "tmp");
  mkdirSync(TMPDIR, { recursive: true });
  const env = { ...process.env, ...impatient, TMPDIR, ...cloud.environment, ...environment };
  const child = fork(program, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const log = searchLog(child);
  const ended = once(child, "exit");
  await Promise.race([once(child, "message"), ended.then(([code]) => Promise.reject(new Error(`It ended: ${code}`)))]);
  return {
    process: child,
    log,
    devices: () => childrenOf(child.pid!),
    async end(signal) {
      child.kill(signal);
      return (await ended)[0] as number | null;
    },
  };
}
