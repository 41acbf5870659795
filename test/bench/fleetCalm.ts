/** A fleet to which nothing happens but what a test wants. */
import { computeClass } from "../../shared/fleet/inputs.ts";
import type { FleetPolicy } from "../../shared/fleet/policy.ts";
import { type Outcome, type Setting, simulate, usual } from "./fleetSimulation.ts";

export const calm = { ...usual.hazards, reclaimsPerHour: 0 };
export const gpu = computeClass("gpu", 2);
export const coldSeconds = gpu.hostSeconds + gpu.startSeconds;

/** Without on-demand tasks. */
export const plain: FleetPolicy = {
  ...{ minTasks: 0, taskSteps: [1, 2, 4, 8], messagesPerTask: 4, idlePeriods: 3, cooldownSeconds: 120 },
  ...{ fallbackPeriods: 3, maxOnDemandTasks: 0 },
};

export function run(changes: Partial<Setting> & Pick<Setting, "arrivals">): Outcome {
  return simulate({
    ...usual,
    ...{ policy: plain, compute: gpu, horizonSeconds: 0, storms: [], seed: 1, spot: true, keepsActive: true },
    ...{ hazards: calm, ...changes },
  });
}
