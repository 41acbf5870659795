/** Whether the worker of this container is well: `node workers/health.ts` ends with 0 if so. For the image's health check. */
import { statSync, utimesSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const beatMilliseconds = 5000;
/** A worker whose event loop stood still for so long is to be replaced. */
const longestSilenceMilliseconds = 60_000;

/** Touches the file for as long as the process comes round to it. */
export function beat(file: string): void {
  writeFileSync(file, "");
  setInterval(() => utimesSync(file, new Date(), new Date()), beatMilliseconds).unref();
}

export function isWell(file: string, now = Date.now()): boolean {
  const silence = now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return silence < longestSilenceMilliseconds;
}

if (import.meta.main) {
  const { positionals } = parseArgs({ allowPositionals: true });
  const file = positionals[0] ?? process.env.MILLRACE_HEALTH_FILE;
  process.exitCode = file !== undefined && isWell(file) ? 0 : 1;
}
