/** Experiments whose shares learn: what follows from what is believed of their arms. */
import type { ExperimentRecord } from "../schemas/experiment.ts";
import { topTwoShares, verdictOn } from "../statistics/topTwoThompson.ts";
import { beliefIn } from "./belief.ts";
import type { ExperimentChanger } from "./experimentChanges.ts";
import type { Needs } from "./outcomes.ts";
import { readExperiment } from "./reading.ts";
import { breaksGuardrail, resultsOf } from "./results.ts";

/** Shares that differ by less are left. */
const leastMove = 0.01;
/** Each is kept in the row. */
const mostStages = 500;

export type Adapted = "kept" | "reshared" | "ended";

/** What decides in an experiment's own name. */
const byItself = "millrace";

/** One look at a running experiment: it ends by its stopping rule, or its shares follow what is believed now. */
export async function adapt(
  stores: Needs,
  changer: Pick<ExperimentChanger, "end" | "reshare">,
  experiment: ExperimentRecord,
): Promise<Adapted> {
  const { method, project_id, id, arms, stages } = experiment;
  if (method.type !== "adaptive" || experiment.status !== "running") return "kept";
  const reading = await readExperiment(stores, experiment);
  const belief = beliefIn(reading);
  if (!belief || reading.sampleRatio.mismatch) return "kept";
  const { certainty = 0.99, least_outcomes: leastOutcomes = 100, floor_share: leastShare = 0, promote_winner } = method;
  const outcomes = arms.map((_, arm) => reading.outcomes.filter((one) => one.arm === arm).length);
  const { arm, stop } = verdictOn(belief, outcomes, { certainty, leastOutcomes });
  if (stop) {
    const mayServe = promote_winner === true && !breaksGuardrail(resultsOf(reading), experiment, arm);
    const best = arms[arm]!.variant;
    const reason = `'${best}' is the best with a chance of ${belief.best[arm]!.toFixed(4)}.`;
    await changer.end({ id: project_id }, id, { winner: best, isPromoted: mayServe, by: byItself, reason });
    return "ended";
  }
  const shares = topTwoShares(belief, { leastShare, beta: method.leader_share ?? 0.5 });
  const hasMoved = shares.some((share, i) => Math.abs(share - stages.at(-1)![i]!) > leastMove);
  if (!hasMoved || stages.length >= mostStages) return "kept";
  return (await changer.reshare(experiment, shares)) ? "reshared" : "kept";
}
