/** `npm run bench -- fleet [--part name] [--job-seconds 12,40,300]`: the scaling policy of workers, simulated on measured job times. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type ComputeClass, computeClass, inputs } from "../../shared/fleet/inputs.ts";
import { cpuPolicy, type FleetPolicy, gpuPolicy } from "../../shared/fleet/policy.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import { patternsOf } from "./fleetArrivals.ts";
import { renderSearch, type Searched } from "./fleetChart.ts";
import { type Day, daysOf, daysTable, markdown, perThousand } from "./fleetDays.ts";
import { type JobTimes, measureJobTimes, recordedJobTimes } from "./fleetJobs.ts";
import { mean, quantile } from "./fleetMeasures.ts";
import { candidates, costOf, pareto, rank, type Tried, tryPolicy, waitOf } from "./fleetSearch.ts";
import { callPatterns, serve } from "./fleetServing.ts";
import type { Bench, Suite } from "./suite.ts";

interface Run extends Bench {
  readonly times: JobTimes;
  /** Seeds 1 up to it are averaged over. */
  readonly repeats: number;
  /** Keeps a file beside the figures. */
  keep(name: string, text: string): void;
}

const fleets = { gpu: gpuPolicy, cpu: cpuPolicy } as const;
type Fleet = keyof typeof fleets;
const names = Object.keys(fleets) as Fleet[];
/** On a busy day. */
const jobsPerHour = { gpu: 12, cpu: 60 } as const;

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

/** What jobs of this fleet take, of which each is as likely as any other. */
function secondsOf({ times, jobSeconds }: Run, name: Fleet): readonly number[] {
  return jobSeconds ?? times.kinds.filter((kind) => kind.class === name).flatMap(({ seconds }) => seconds);
}

function tellTimes(run: Run): void {
  const { times, tell, jobSeconds } = run;
  const measured = `measured ${times.measured_at} by \`${times.command}\` on ${times.machine}; a GPU's would differ`;
  tell(`Job times: ${jobSeconds ? "yours" : measured}`);
  for (const name of names) tell(`  ${name}: ${secondsOf(run, name).join(", ")} s, each as likely as any other`);
  const assumed = Object.entries(inputs).filter(([, { date }]) => date === null);
  tell(`Assumed, not cited: ${assumed.map(([name, { value }]) => `${name} ${value}`).join(", ")}`);
}

function jobs({ times, emit, keep }: Run): void {
  for (const { model, rows, seconds } of times.kinds) {
    rows.forEach((count, i) => {
      emit({ ...{ case: `jobs/${model}/${count} rows`, value: seconds[i]!, unit: "seconds" }, ...nothing });
    });
  }
  keep("jobTimes.json", `${JSON.stringify(times, null, 2)}\n`);
}

const nothing = { baseline: null, baseline_source: "none" };

function computeOf({ times }: Run, name: Fleet): ComputeClass {
  return computeClass(name, quantile(times.worker_start_seconds, 0.5));
}

function trialOf(run: Run, name: Fleet) {
  const seeds = Array.from({ length: run.repeats }, (_, i) => i + 1);
  const patterns = patternsOf(jobsPerHour[name]);
  return { compute: computeOf(run, name), seconds: secondsOf(run, name), patterns, seeds };
}

function days(run: Run): void {
  const tables: string[] = [];
  for (const name of names) {
    const trial = trialOf(run, name);
    const all = trial.patterns.flatMap((pattern) => daysOf(fleets[name], trial, pattern));
    for (const pattern of trial.patterns)
      emitDays(
        run,
        name,
        all.filter((day) => day.pattern === pattern.name),
      );
    tables.push(`## ${name}\n\n${daysTable(all)}\n`);
  }
  run.tell(tables.join("\n"));
  run.keep("days.md", tables.join("\n"));
}

/** Each fleet's figures beside those of the fleet always on that is as quick as the policy. */
function emitDays({ emit }: Run, name: Fleet, all: readonly Day[]): void {
  const quick = all.find(({ fleet: of }) => of.startsWith("always on, as quick"))!;
  for (const { fleet: of, pattern, measures } of all) {
    const figure = (what: string, unit: "seconds" | "hours" | "dollars", value: (day: Day["measures"]) => number) => {
      const beside = of === quick.fleet ? nothing : { baseline: value(quick.measures), baseline_source: quick.fleet };
      emit({ case: `${name}/${pattern}/${of}/${what}`, value: value(measures), unit, ...beside });
    };
    figure("wait p50", "seconds", ({ wait }) => wait.p50);
    figure("wait p95", "seconds", ({ wait }) => wait.p95);
    figure("wait p99", "seconds", ({ wait }) => wait.p99);
    figure("hours per 1000 jobs", "hours", ({ hours, jobs: count }) => perThousand(hours, count));
    figure("dollars per 1000 jobs", "dollars", ({ dollars, jobs: count }) => perThousand(dollars, count));
  }
}

function search(run: Run): void {
  const { tell, keep, emit } = run;
  const searches = names.map((name): Searched => {
    const trial = trialOf(run, name);
    const policies = candidates(fleets[name]);
    tell(`${name}: ${policies.length} policies on ${trial.patterns.length} patterns, ${run.repeats} days each`);
    const tried = rank(policies, trial);
    const chosen = tryPolicy(fleets[name], trial);
    const better = tried.filter(({ score }) => score < chosen.score).length;
    emit({
      ...{ case: `search/${name}/policies better than the chosen one`, value: (100 * better) / tried.length },
      ...{ unit: "percent", baseline: null, baseline_source: "by the simulation, of all that were tried" },
    });
    return { title: `${name}: ${policies.length} policies`, tried, best: pareto(tried), chosen };
  });
  const tables = searches.map(({ title, tried, best, chosen }) => {
    return `## ${title}\n\nBest by score\n\n${triedTable(tried.slice(0, 10))}\n\nNone is better in both\n\n${triedTable(best)}\n\nChosen\n\n${triedTable([chosen])}\n`;
  });
  tell(tables.join("\n"));
  keep("search.md", tables.join("\n"));
  keep("search.svg", renderSearch(searches, `job times of ${run.times.measured_at}, ${run.times.machine}`));
}

function triedTable(tried: readonly Tried[]): string {
  const header = [
    "steps",
    "messages a task",
    "idle minutes",
    "cooldown s",
    "fall-back minutes",
    "$ a day",
    "p95 s",
    "score",
  ];
  return markdown(
    header,
    tried.map((one) => [
      ...policyCells(one.policy),
      costOf(one).toFixed(2),
      waitOf(one).toFixed(0),
      one.score.toFixed(3),
    ]),
  );
}

function policyCells(policy: FleetPolicy): string[] {
  const { taskSteps, messagesPerTask, idlePeriods, cooldownSeconds, fallbackPeriods } = policy;
  return [taskSteps.join(" "), ...[messagesPerTask, idlePeriods, cooldownSeconds, fallbackPeriods].map(String)];
}

/** Environments of the function that answers, kept ready or not. */
function serving(run: Run): void {
  const { times, emit, tell, keep, repeats } = run;
  const firstSeconds = inputs.lambdaSandboxSeconds.value + quantile(times.first_answer_seconds, 0.5);
  tell(`Serving: an answer takes ${times.answer_seconds.join(", ")} s; a new environment ${firstSeconds} s`);
  const rows: string[][] = [];
  for (const { name, moments } of callPatterns) {
    for (const provisioned of [0, 1, 4]) {
      const served = Array.from({ length: repeats }, (_, i) => {
        const calls = moments(randomOf(i + 1, 34));
        return serve({ moments: calls, answerSeconds: times.answer_seconds, firstSeconds, provisioned, seed: i + 1 });
      });
      const of = (value: (one: (typeof served)[number]) => number) => mean(served.map(value));
      const perMillion = of(({ dollars, calls }) => (1e6 * dollars) / calls);
      const waits = [of(({ wait }) => wait.p50), of(({ wait }) => wait.p95), of(({ wait }) => wait.p99)];
      const cold = of((one) => (100 * one.cold) / one.calls);
      ["wait p50", "wait p95", "wait p99"].forEach((what, i) => {
        emit({
          case: `serving/${name}/${provisioned} provisioned/${what}`,
          value: waits[i]!,
          unit: "seconds",
          ...nothing,
        });
      });
      emit({
        case: `serving/${name}/${provisioned} provisioned/per million calls`,
        value: perMillion,
        unit: "dollars",
        ...nothing,
      });
      rows.push([
        name,
        String(provisioned),
        ...waits.map((wait) => wait.toFixed(1)),
        cold.toFixed(2),
        perMillion.toFixed(2),
      ]);
    }
  }
  const table = markdown(["calls", "kept ready", "p50 s", "p95 s", "p99 s", "% that waited", "$ / million"], rows);
  tell(table);
  keep("serving.md", `${table}\n`);
}
