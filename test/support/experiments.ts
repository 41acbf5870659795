/** Experiments for tests: their rows, and what simulated units do in them. */
import type { Observation } from "../../shared/experiments/reading.ts";
import { newId } from "../../shared/ids.ts";
import type { ExperimentRecord } from "../../shared/schemas/experiment.ts";
import { positionOf } from "../../shared/statistics/assignment.ts";

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
