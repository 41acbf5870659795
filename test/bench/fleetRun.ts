/** What the parts of the fleet suite share: job times, the shipped policies, and what they are tried on. */
import { type ComputeClass, computeClass, inputs } from "../../shared/fleet/inputs.ts";
import { cpuPolicy, gpuPolicy } from "../../shared/fleet/policy.ts";
import { patternsOf } from "./fleetArrivals.ts";
import { classOfKind, type JobTimes } from "./fleetJobs.ts";
import { quantile } from "./fleetMeasures.ts";
import type { Trial } from "./fleetSearch.ts";
import type { Bench } from "./suite.ts";

export interface Run extends Bench {
  readonly times: JobTimes;
  /** Seeds 1 up to it are averaged over. */
  readonly repeats: number;
  /** Keeps a file beside the figures. */
  keep(name: string, text: string): void;
}

export const fleets = { gpu: gpuPolicy, cpu: cpuPolicy } as const;
export type Fleet = keyof typeof fleets;
export const names = Object.keys(fleets) as Fleet[];
/** On a busy day. */
const jobsPerHour = { gpu: 12, cpu: 60 } as const;

export const nothing = { baseline: null, baseline_source: "none" };

/** What jobs of this fleet take, of which each is as likely as any other. */
function secondsOf({ times, jobSeconds }: Run, name: Fleet): readonly number[] {
  return jobSeconds ?? times.kinds.filter((kind) => classOfKind(kind) === name).flatMap(({ seconds }) => seconds);
}

export function tellTimes(run: Run): void {
  const { times, tell, jobSeconds } = run;
  const measured = `measured ${times.measured_at} by \`${times.command}\` on ${times.machine}; a GPU's would differ`;
  tell(`Job times: ${jobSeconds ? "yours" : measured}`);
  for (const name of names) tell(`  ${name}: ${secondsOf(run, name).join(", ")} s, each as likely as any other`);
  const assumed = Object.entries(inputs).filter(([, { date }]) => date === null);
  tell(`Assumed, not cited: ${assumed.map(([name, { value }]) => `${name} ${value}`).join(", ")}`);
}

function computeOf({ times }: Run, name: Fleet): ComputeClass {
  return computeClass(name, quantile(times.worker_start_seconds, 0.5));
}

export function trialOf(run: Run, name: Fleet): Trial {
  const seeds = Array.from({ length: run.repeats }, (_, i) => i + 1);
  const patterns = patternsOf(jobsPerHour[name]);
  return { compute: computeOf(run, name), seconds: secondsOf(run, name), patterns, seeds };
}
