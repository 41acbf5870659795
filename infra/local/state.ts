/** `.millrace/local.json`: what a Millrace on this machine tells scripts and tools. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface LocalState {
  base_url: string;
  api_key: string;
  pid: number;
  /** What a program needs in its environment to reach the local cloud. Absent in files of older starts. */
  environment?: Record<string, string>;
}

const stateFile = (home: string) => join(home, "local.json");

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
