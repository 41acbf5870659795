/** A fleet's rule, held to what an operator allows. */
import type { FleetPolicy } from "../../shared/fleet/policy.ts";

export function atMost(policy: FleetPolicy, most: number): FleetPolicy {
  const taskSteps = [...policy.taskSteps.filter((tasks) => tasks < most), most];
  return { ...policy, taskSteps, maxOnDemandTasks: Math.min(policy.maxOnDemandTasks, most) };
}
