/** What holds while things break: `npm run bench -- reliability [--part name] [--minutes n] [--seed n]`. */
import { deploy } from "../support/deployment.ts";
import { violationKinds } from "./reliabilityChecks.ts";
import { faultyRun } from "./reliabilityFaults.ts";
import { severedJobs } from "./reliabilityRetries.ts";
import type { Bench, Suite } from "./suite.ts";

const jobs = 1000;

async function retries({ emit, tell, seeds = 1 }: Bench): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++) {
    const deployment = await deploy();
    const { asked, cuts, retries: repeated, twice, lost } = await severedJobs(deployment, { count: jobs, seed });
    await deployment.close();
    tell(`seed ${seed}: ${asked} jobs asked for, ${cuts} connections cut, ${repeated} retries`);
    const share = { unit: "percent" as const, baseline: null, baseline_source: "0 is what is promised" };
    emit({ case: "retries/made twice", value: (100 * twice) / asked, ...share });
    emit({ case: "retries/lost", value: (100 * lost) / asked, ...share });
  }
}

const usualMinutes = 10;

/** Throws where a promise was broken, when all figures are told. */
async function faults({ emit, tell, minutes = usualMinutes, seed = 1 }: Bench): Promise<void> {
  const { violations, requests, calls, kills, serverErrors, ...tallies } = await faultyRun({ minutes, seed, tell });
  const count = (name: string, value: number) =>
    emit({
      case: `faults/${name}`,
      value,
      unit: "count",
      baseline: null,
      baseline_source: `seed ${seed}, ${minutes} minutes`,
    });
  count("requests", requests);
  count("calls to the cloud", calls);
  for (const [kind, killed] of Object.entries(kills)) count(`kills/${kind}`, killed);
  count("server errors seen", serverErrors);
  for (const [tally, counts] of Object.entries(tallies)) {
    for (const [name, value] of Object.entries(counts)) count(`${tally}/${name}`, value);
  }
  for (const kind of violationKinds) count(`violations/${kind}`, violations.filter((one) => one.kind === kind).length);
  if (violations.length === 0) return;
  for (const { kind, what } of violations) tell(`${kind}: ${what}`);
  throw new Error(`${violations.length} promises were broken under faults (seed ${seed})`);
}

const parts: Record<string, (bench: Bench) => Promise<void>> = { retries, faults };

export const reliability: Suite = async (bench) => {
  const { part } = bench;
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`reliability has no part "${part}"; it has ${Object.keys(parts).join(", ")}.`);
  }
  for (const name of part === undefined ? Object.keys(parts) : [part]) await parts[name]!(bench);
  return "done";
};
