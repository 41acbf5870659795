/** What holds while things break: `npm run bench -- reliability [--part name]`. */
import { deploy } from "../support/deployment.ts";
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

const parts: Record<string, (bench: Bench) => Promise<void>> = { retries };

export const reliability: Suite = async (bench) => {
  const { part } = bench;
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`reliability has no part "${part}"; it has ${Object.keys(parts).join(", ")}.`);
  }
  for (const name of part === undefined ? Object.keys(parts) : [part]) await parts[name]!(bench);
  return "done";
};
