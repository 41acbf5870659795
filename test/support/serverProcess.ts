/** The API as its own process, as in production. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type SearchedLog, searchedLevel, searchLog } from "./searchedLogs.ts";

export interface ServerProcess {
  process: ChildProcess;
  baseURL: string;
  log: SearchedLog;
  /** Asks it to stop, and resolves with its exit code when it has. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export async function startServer(environment: Record<string, string>): Promise<ServerProcess> {
  const program = fileURLToPath(new URL("../../api/server.ts", import.meta.url));
  const env = { ...process.env, MILLRACE_LOG_LEVEL: searchedLevel, ...environment };
  const child = fork(program, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const log = searchLog(child);
  const [message] = (await Promise.race([once(child, "message"), failure(child, log)])) as [{ listening: number }];
  return {
    process: child,
    log,
    baseURL: `http://127.0.0.1:${message.listening}/v1`,
    async stop(signal = "SIGTERM") {
      const exit = once(child, "exit");
      child.kill(signal);
      return (await exit)[0] as number | null;
    },
  };
}

async function failure(child: ChildProcess, log: SearchedLog): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`The server ended with ${code} before it listened: ${log.last()}`);
}
