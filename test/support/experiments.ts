/** Experiments for tests: their rows, and what simulated units do in them. */
import type { Observation } from "../../shared/experiments/reading.ts";
import { newId } from "../../shared/ids.ts";
import type { ExperimentRecord } from "../../shared/schemas/experiment.ts";
import { positionOf } from "../../shared/statistics/assignment.ts";
import type { Deployment } from "./deployment.ts";

export function experimentOf(changes: Partial<ExperimentRecord> = {}): ExperimentRecord {
  const arms = changes.arms ?? [
    { variant: "old", share: 0.5 },
    { variant: "new", share: 0.5 },
  ];
  return {
    id: newId("experiment"),
    object: "experiment",
    function: "intents",
    description: null,
    status: "running",
    method: { type: "fixed" },
    metric: { name: "solved", type: "boolean", level: "inference", optimize: "max" },
    control: arms[0]!.variant,
    enrolled_share: 1,
    horizon: 2000,
    guardrails: [],
    winner: null,
    end_reason: null,
    ended_by: null,
    created_by: "key_test",
    created_at: 1_790_000_000,
    ended_at: null,
    project_id: "proj_test",
    stages: [arms.map(({ share }) => share)],
    revision: 0,
    ...changes,
    arms,
  };
}

export const adaptiveMethod = {
  type: "adaptive" as const,
  floor_share: 0.1,
  leader_share: 0.8,
  certainty: 0.99,
  least_outcomes: 100,
  range: [0, 1],
  promote_winner: false,
};

/** From 0 to 1, the same for the same words each time. */
export const drawn = (salt: string, i: number) => positionOf(salt, String(i));

/** `count` units, alternating between arms, with values by arm. */
export function observations(
  count: number,
  value: (arm: number, i: number) => number,
  { arms = 2, before }: { arms?: number; before?: (i: number) => number | undefined } = {},
): Observation[] {
  return Array.from({ length: count }, (_, i) => {
    const arm = i % arms;
    return { arm, stage: 0, value: value(arm, i), before: before?.(i), at: i, unit: String(i).padStart(8, "0") };
  });
}

/**
 * A function without an experiment, or with a new one, under the names that the contract has for them: a function has one at a
 * time, and what has ended cannot change. Compared by the metric `solved`.
 */
export async function freshExperiment({ stores, a, client }: Deployment, isBegun: boolean) {
  const [name, sdk] = ["compared", client()];
  const standing = (await stores.functions.get(a.project.id, name))?.experiment_id;
  if (standing) await sdk.post(`/experiments/${standing}/end`, { body: {} });
  const variants = ["first", "second"].map((each) => ({ name: each, model: "millrace-ngram" }));
  await sdk.post("/functions", { body: { name, variants } });
  if (!isBegun) return { function: name };
  const arms = variants.map(({ name: variant }) => ({ variant }));
  const asked = { function: name, method: { type: "fixed" }, metric_name: "solved", arms };
  const { id } = await sdk.post<{ id: string }>("/experiments", { body: asked });
  return { function: name, experiments: id };
}
