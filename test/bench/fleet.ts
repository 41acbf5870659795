/** `npm run bench -- fleet [--part name] [--job-seconds 12,40,300]`: the scaling policy of workers, simulated on measured job times. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { search } from "./fleetChoice.ts";
import { days } from "./fleetDays.ts";
import { measureJobTimes, recordedJobTimes } from "./fleetJobs.ts";
import { nothing, type Run, tellTimes } from "./fleetRun.ts";
import { serving } from "./fleetServing.ts";
import type { Suite } from "./suite.ts";

const parts: Record<string, (run: Run) => void> = { days, search, serving };
const directory = join(resolve(process.env.MILLRACE_HOME ?? ".millrace"), "fleet");

/** Without a part job times are measured anew; a part goes by those that were recorded when the policy was chosen. */
export const fleet: Suite = async (bench) => {
  const { part, tell } = bench;
  if (part !== undefined && part !== "jobs" && !Object.hasOwn(parts, part)) {
    throw new Error(`fleet has no part "${part}"; there are jobs, ${Object.keys(parts).join(", ")}.`);
  }
  const measured = part === undefined || part === "jobs" ? await measureJobTimes(tell) : recordedJobTimes();
  if (!measured) return "interrupted";
  const keep = (name: string, text: string) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, name), text);
    tell(`written to ${join(directory, name)}`);
  };
  const run: Run = { ...bench, times: measured, repeats: bench.seeds ?? 2, keep };
  tellTimes(run);
  if (part === undefined || part === "jobs") jobs(run);
  for (const [name, simulated] of Object.entries(parts)) if (part === undefined || part === name) simulated(run);
  return "done";
};

function jobs({ times, emit, keep }: Run): void {
  for (const { model, rows, seconds } of times.kinds) {
    rows.forEach((count, i) => {
      emit({ ...{ case: `jobs/${model}/${count} rows`, value: seconds[i]!, unit: "seconds" }, ...nothing });
    });
  }
  keep("jobTimes.json", `${JSON.stringify(times, null, 2)}\n`);
}
