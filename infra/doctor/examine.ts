/** Runs the checks one after the other. One that fails hinders none but those that need what it makes. */
import type { Patient } from "./patient.ts";

export interface Finding {
  check: string;
  status: "ok" | "failed" | "skipped";
  /** Figures, or why not. */
  detail: string;
  milliseconds: number;
}

/** What is examined, by name; a check tells what it found in a line. */
export type Checks = Record<string, (patient: Patient) => Promise<string>>;

/** There is nothing to look at, which is no failure. */
export class Skipped extends Error {}

export async function examine(patient: Patient, checks: Checks, tell: (finding: Finding) => void): Promise<Finding[]> {
  const findings: Finding[] = [];
  const note = (finding: Finding) => {
    findings.push(finding);
    tell(finding);
  };
  for (const [check, run] of Object.entries(checks)) {
    const started = performance.now();
    const found = await run(patient).then(
      (detail) => ({ status: "ok" as const, detail }),
      (error: Error) => ({
        status: error instanceof Skipped ? ("skipped" as const) : ("failed" as const),
        detail: oneLine(error),
      }),
    );
    note({ check, ...found, milliseconds: Math.round(performance.now() - started) });
  }
  const left = await patient.cleanUp();
  const detail = left.join("; ") || "all that was made is gone";
  note({ check: "clean up", status: left.length ? "failed" : "ok", detail, milliseconds: 0 });
  return findings;
}

/** Without the comparison that assertions draw below what they say. */
function oneLine({ message }: Error): string {
  return message
    .split(/\s*\+ actual - expected/)[0]!
    .replaceAll(/\s+/g, " ")
    .slice(0, 300);
}

/** Asks again and again until there is something, or throws that there was nothing in `seconds`. */
export async function until<Found>(
  look: () => Promise<Found | undefined | false>,
  { what, seconds }: { what: string; seconds: number },
): Promise<Found> {
  const end = Date.now() + seconds * 1000;
  for (let pause = 50; ; pause = Math.min(pause * 1.3, 2000)) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
