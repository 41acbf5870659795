/** The policy's days beside those of other fleets: as many tasks all the time, fewer of them, one that never goes. */
import type { FleetPolicy } from "../../shared/fleet/policy.ts";
import type { Pattern } from "./fleetArrivals.ts";
import { type Measures, markdown } from "./fleetMeasures.ts";
import { type Fleet, fleets, names, nothing, type Run, trialOf } from "./fleetRun.ts";
import { type Trial, tryPolicy } from "./fleetSearch.ts";

export interface Day {
  readonly fleet: string;
  readonly pattern: string;
  readonly measures: Measures;
}

/** Always on: on demand, nothing scales, no instance is taken away. */
export function alwaysOn(policy: FleetPolicy, tasks: number): FleetPolicy {
  return { ...policy, minTasks: tasks, taskSteps: [tasks], maxOnDemandTasks: 0 };
}

/** Means over the trial's seeds. */
function measure(policy: FleetPolicy, trial: Trial, pattern: Pattern, changes: Trial["changes"] = {}): Measures {
  return tryPolicy(policy, { ...trial, patterns: [pattern], changes }).measures[0]!;
}

/** The fewest tasks always on whose p95 wait is no longer than `seconds`; `most` where none is so quick. */
function asQuick(
  policy: FleetPolicy,
  trial: Trial,
  pattern: Pattern,
  seconds: number,
): { tasks: number; measures: Measures } {
  const most = policy.taskSteps.at(-1)!;
  for (let tasks = 1; ; tasks++) {
    const measures = measure(alwaysOn(policy, tasks), trial, pattern, { spot: false });
    if (tasks === most || measures.wait.p95 <= seconds) return { tasks, measures };
  }
}

export function daysOf(policy: FleetPolicy, trial: Trial, pattern: Pattern): Day[] {
  const most = policy.taskSteps.at(-1)!;
  const own = measure(policy, trial, pattern);
  const quick = asQuick(policy, trial, pattern, own.wait.p95);
  const days: [string, Measures][] = [
    ["policy", own],
    ["always on, as quick", quick.measures],
    ["always on, the most", measure(alwaysOn(policy, most), trial, pattern, { spot: false })],
    ["policy, one kept", measure({ ...policy, minTasks: 1 }, trial, pattern)],
    ["policy, on demand", measure(policy, trial, pattern, { spot: false })],
    ["policy, silent queue", measure(policy, trial, pattern, { keepsActive: false })],
  ];
  return days.map(([fleet, measures]) => ({
    fleet: fleet === "always on, as quick" ? `${fleet} (${quick.tasks})` : fleet,
    ...{ pattern: pattern.name, measures },
  }));
}

/** Of a thousand jobs, as if the day went on. */
export const perThousand = (value: number, jobs: number): number => (1000 * value) / jobs;

const columns = ["pattern", "fleet", "p50 s", "p95 s", "p99 s", "hours / 1,000", "$ / 1,000", "parked"];

/** As Markdown. */
export function daysTable(days: readonly Day[]): string {
  const rows = days.map(({ pattern, fleet, measures: { wait, hours, dollars, jobs, buried } }) => {
    const waits = [wait.p50, wait.p95, wait.p99].map((seconds) => String(Math.round(seconds)));
    return [
      pattern,
      fleet,
      ...waits,
      perThousand(hours, jobs).toFixed(1),
      perThousand(dollars, jobs).toFixed(2),
      buried.toFixed(1),
    ];
  });
  return markdown(columns, rows);
}

export function days(run: Run): void {
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
