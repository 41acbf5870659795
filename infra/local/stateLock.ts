/** One process per state directory: an operating-system lock, which the kernel drops even after kill -9. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export type StateLock = { release(): void };

export class StateDirectoryInUse extends Error {
  constructor(home: string, holder: string) {
    super(`The state directory ${home} is in use by process ${holder}. Stop it, or give another directory.`);
    this.name = "StateDirectoryInUse";
  }
}

function holderOf(pidFile: string): string {
  try {
    return readFileSync(pidFile, "utf8").trim() || "unknown";
  } catch {
    return "unknown";
  }
}

/**
 * Creates the directory if needed and holds it until `release`. Throws `StateDirectoryInUse` while another holder lives.
 * SQLite's exclusive transaction is the lock (POSIX record locks, also between two holders in one process); the pid
 * file beside it only serves the message, so a stale one blocks nobody.
 */
export function lockStateDirectory(home: string): StateLock {
  mkdirSync(home, { recursive: true });
  const pidFile = join(home, "lock.pid");
  const database = new DatabaseSync(join(home, "lock.db"), { timeout: 0 });
  try {
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== 5) throw error;
    throw new StateDirectoryInUse(home, holderOf(pidFile));
  }
  writeFileSync(pidFile, String(process.pid));
  return {
    release() {
      rmSync(pidFile, { force: true });
      database.close();
    },
  };
}
