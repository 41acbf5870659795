/** The part of the fleet suite that looks for a policy's numbers: tables of what was tried, and a picture. */
import type { FleetPolicy } from "../../shared/fleet/policy.ts";
import { renderSearch, type Searched } from "./fleetChart.ts";
import { markdown } from "./fleetMeasures.ts";
import { fleets, names, type Run, trialOf } from "./fleetRun.ts";
import { candidates, costOf, pareto, rank, type Tried, tryPolicy, waitOf } from "./fleetSearch.ts";

export function search(run: Run): void {
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
