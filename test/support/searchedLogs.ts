/** What processes of tests write to their logs is searched, at the lowest level: whichever of them tells a secret fails its test. */
import type { ChildProcess } from "node:child_process";

const planted = new Set<string>();

/** From now on no process may say these. */
export function plant(...secrets: readonly string[]): void {
  for (const secret of secrets) if (secret.length >= 8) planted.add(secret);
}

export const findIn = (text: string): string | undefined => [...planted].find((secret) => text.includes(secret));

/** In tests processes say everything, to be searched; `TEST_LOG_LEVEL` shows it as well. What is measured says nothing. */
export const searchedLevel = process.env.TEST_LOG_LEVEL ?? (process.env.NODE_TEST_CONTEXT ? "trace" : "silent");
const isShown = process.env.TEST_LOG_LEVEL !== undefined;

export interface SearchedLog {
  /** How much was said. */
  lines(): number;
  /** The last of it. */
  last(): string;
}

const kept = 64 * 1024;

/** Of a process whose standard output and error are pipes. Throws where nobody can catch it, which fails the test's file. */
export function searchLog(child: ChildProcess): SearchedLog {
  let lines = 0;
  let tail = "";
  let isTold = false;
  const hear = (text: string) => {
    lines += text.split("\n").length - 1;
    tail = `${tail.slice(-kept)}${text}`;
    if (isShown) process.stderr.write(text);
    const found = findIn(tail);
    if (found === undefined || isTold) return;
    isTold = true;
    throw new Error(`A process told a secret in its log: ${around(tail, found)}`);
  };
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", hear);
  // What is still in the pipes when nobody else keeps this process: it must not keep it either.
  for (const stream of [child.stdout, child.stderr]) (stream as { unref?(): void } | null)?.unref?.();
  return { lines: () => lines, last: () => tail };
}

const around = (text: string, found: string) =>
  text.slice(Math.max(0, text.indexOf(found) - 300), text.indexOf(found) + 40);
