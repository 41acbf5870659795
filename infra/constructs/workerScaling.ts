/** When workers come and go, by the rules of `shared/fleet/policy.ts`: as many as messages ask for, none where there are none. */
import { Duration } from "aws-cdk-lib";
import { AdjustmentType, type ScalingInterval } from "aws-cdk-lib/aws-applicationautoscaling";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { BaseService } from "aws-cdk-lib/aws-ecs";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { checkPolicy, type FleetPolicy, maxTasks, readingSeconds, scalingSteps } from "../../shared/fleet/policy.ts";

const readings = (count: number) => Duration.seconds(count * readingSeconds);

/**
 * Messages, waiting and in flight: who is at work must not be sent away. The most within `period`, so that workers come
 * with the first reading that asks for them, and go when all readings of the period ask for fewer.
 */
export function backlog(queues: readonly Queue[], period: Duration): IMetric {
  const options = { period, statistic: "Maximum" };
  const usingMetrics = Object.fromEntries(
    queues.flatMap((queue, index) => [
      [`waiting${index}`, queue.metricApproximateNumberOfMessagesVisible(options)],
      [`flying${index}`, queue.metricApproximateNumberOfMessagesNotVisible(options)],
    ]),
  );
  const expression = Object.keys(usingMetrics)
    .map((name) => `FILL(${name}, 0)`)
    .join(" + ");
  return new MathExpression({ expression, usingMetrics, period, label: "messages" });
}

/** Tasks that may be reclaimed come by the backlog of all `queues`; those that may not stand in for what does not come. */
export function scaleWorkers(
  { spot, onDemand }: Readonly<Record<"spot" | "onDemand", BaseService>>,
  queues: readonly Queue[],
  policy: FleetPolicy,
): void {
  scaleOnBacklog(spot, queues, policy);
  scaleOnMissing(onDemand, spot, policy);
}

function scaleOnBacklog(service: BaseService, queues: readonly Queue[], policy: FleetPolicy): void {
  checkPolicy(policy);
  const target = service.autoScaleTaskCount({ minCapacity: policy.minTasks, maxCapacity: maxTasks(policy) });
  target.scaleOnMetric("Backlog", {
    metric: backlog(queues, readings(policy.idlePeriods)),
    adjustmentType: AdjustmentType.EXACT_CAPACITY,
    scalingSteps: scalingSteps(policy).map(({ lower, upper, tasks }) => interval(tasks, lower, upper)),
    cooldown: Duration.seconds(policy.cooldownSeconds),
    evaluationPeriods: 1,
  });
}

/** `service` runs as many tasks as `first` was told to run and, for a while, could not. */
function scaleOnMissing(service: BaseService, first: BaseService, policy: FleetPolicy): void {
  const { maxOnDemandTasks, fallbackPeriods, idlePeriods, cooldownSeconds } = policy;
  const period = readings(fallbackPeriods);
  const insight = (metricName: string, statistic: string) =>
    new Metric({
      ...{ namespace: "ECS/ContainerInsights", metricName, statistic, period },
      dimensionsMap: { ClusterName: first.cluster.clusterName, ServiceName: first.serviceName },
    });
  const missing = new MathExpression({
    expression: "FILL(desired, 0) - FILL(running, 0)",
    usingMetrics: { desired: insight("DesiredTaskCount", "Minimum"), running: insight("RunningTaskCount", "Maximum") },
    ...{ period, label: "missing tasks" },
  });
  const steps = Array.from({ length: maxOnDemandTasks + 1 }, (_, tasks) =>
    interval(tasks, tasks, tasks < maxOnDemandTasks ? tasks + 1 : undefined),
  );
  const target = service.autoScaleTaskCount({ minCapacity: 0, maxCapacity: maxOnDemandTasks });
  target.scaleOnMetric("Missing", {
    metric: missing,
    adjustmentType: AdjustmentType.EXACT_CAPACITY,
    scalingSteps: steps,
    cooldown: Duration.seconds(Math.max(cooldownSeconds, idlePeriods * readingSeconds)),
    evaluationPeriods: 1,
  });
}

/**
 * Bounds lie between whole numbers: which side one belongs to that lies upon them differs between alarms that look for
 * more and those that look for less.
 */
const interval = (change: number, lower: number, upper: number | undefined): ScalingInterval => ({
  change,
  lower: lower - 0.5,
  ...(upper !== undefined && { upper: upper - 0.5 }),
});
