/** `.millrace/local.json`: what a Millrace on this machine tells scripts and tools. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface LocalState {
  base_url: string;
  api_key: string;
  /** Of the admin key that the first start printed; without it the next start makes another and prints it. */
  admin_key_id?: string;
  pid: number;
  /** What a program needs in its environment to reach the local cloud. Absent in files of older starts. */
  environment?: Record<string, string>;
}

const stateFile = (home: string) => join(home, "local.json");

/** What this machine's Millrace seals customers' secrets with: made at the first start, and as long-lived as the state. */
export function secretKey(home: string): string {
  const file = join(home, "secret.key");
  try {
    writeFileSync(file, randomBytes(32).toString("base64"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8").trim();
}

/** Of the last start, whether or not it still runs. */
export function readState(home: string): LocalState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(home), "utf8")) as LocalState;
  } catch {
    return undefined;
  }
}

/** The key is a secret of this machine's user alone. */
export function writeState(home: string, state: LocalState): void {
  writeFileSync(stateFile(home), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}
