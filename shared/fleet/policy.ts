/** When workers come and go: the rule of a queue's fleet, as numbers and pure functions over them. */

export interface FleetPolicy {
  /** Tasks that are kept where there is nothing to do. */
  readonly minTasks: number;
  /** Numbers of tasks that the spot service may be told to run, rising; the last is the most. */
  readonly taskSteps: readonly number[];
  /** Messages, waiting and in flight, for each of which more the next task is asked for. */
  readonly messagesPerTask: number;
  /** One-minute readings in a row that must ask for fewer tasks before some go; as many more as the last of them still asks for stay. */
  readonly idlePeriods: number;
  /** After any change of the number, no task goes for so long; more may come at once. */
  readonly cooldownSeconds: number;
  /** One-minute readings in a row in which spot tasks are missing before as many are asked of the on-demand service. */
  readonly fallbackPeriods: number;
  /** Beside the spot tasks; 0: there is no fall-back. */
  readonly maxOnDemandTasks: number;
}

/** How often the number of messages is read. */
export const readingSeconds = 60;
/** The most steps that one step scaling policy of AWS may have. */
const mostSteps = 20;

/** Of the class `gpu`, on instances with one; the simulation's choice of numbers, as is the next. */
export const gpuPolicy: FleetPolicy = {
  minTasks: 0,
  taskSteps: [1, 2, 3, 4, 5, 6, 7, 8],
  messagesPerTask: 4,
  // As long as the provider keeps, and bills, an instance without a task anyway.
  idlePeriods: 15,
  cooldownSeconds: 60,
  fallbackPeriods: 6,
  maxOnDemandTasks: 4,
};

/** Of the class `cpu`, on Fargate. */
export const cpuPolicy: FleetPolicy = {
  minTasks: 0,
  taskSteps: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  messagesPerTask: 8,
  idlePeriods: 1,
  cooldownSeconds: 60,
  fallbackPeriods: 6,
  maxOnDemandTasks: 8,
};

/** Throws where numbers contradict each other or AWS would refuse them. */
export function checkPolicy(policy: FleetPolicy): void {
  const { taskSteps, ...whole } = policy;
  const { minTasks, maxOnDemandTasks } = whole;
  for (const [name, value] of Object.entries(whole)) {
    if (!Number.isInteger(value) || value < 0)
      throw new RangeError(`${name} must be a whole number from 0, not ${value}`);
  }
  for (const name of ["messagesPerTask", "idlePeriods", "fallbackPeriods"] as const) {
    if (policy[name] < 1) throw new RangeError(`${name} must be at least 1`);
  }
  const rises = taskSteps.every((step, i) => Number.isInteger(step) && step > (taskSteps[i - 1] ?? 0));
  if (!taskSteps.length || !rises)
    throw new RangeError(`taskSteps must be whole numbers that rise from 1: ${taskSteps}`);
  if (scalingSteps(policy).length > mostSteps)
    throw new RangeError(`there may be ${mostSteps} steps, not ${taskSteps.length + 1}`);
  if (minTasks > maxTasks(policy)) throw new RangeError(`minTasks ${minTasks} is more than the last of taskSteps`);
  if (maxOnDemandTasks > maxTasks(policy)) throw new RangeError("maxOnDemandTasks is more than the last of taskSteps");
}

/** The most that the spot service runs. */
export function maxTasks({ taskSteps }: FleetPolicy): number {
  return taskSteps.at(-1)!;
}

export interface ScalingStep {
  /** Messages, waiting and in flight, from which on this holds. */
  readonly lower: number;
  /** Messages from which on it no longer does; absent on the last step. */
  readonly upper?: number;
  readonly tasks: number;
}

/** The rule as a table, as step scaling with exact capacities has it: every number of messages is in one row. */
export function scalingSteps({ minTasks, taskSteps, messagesPerTask }: FleetPolicy): ScalingStep[] {
  const asked = taskSteps.filter((tasks) => tasks > minTasks);
  const tasks = [minTasks, ...asked];
  // Nothing to do is a row of its own, where nobody is kept for it.
  const last = tasks.map((count) => count * messagesPerTask);
  return tasks.map((count, i) => {
    const lower = i === 0 ? 0 : last[i - 1]! + 1;
    return i === tasks.length - 1 ? { lower, tasks: count } : { lower, upper: last[i]! + 1, tasks: count };
  });
}

/** How many tasks so many messages, waiting and in flight, ask for. */
export function tasksFor(policy: FleetPolicy, messages: number): number {
  const { minTasks, taskSteps, messagesPerTask } = policy;
  if (messages <= minTasks * messagesPerTask) return minTasks;
  return taskSteps.find((tasks) => tasks > minTasks && messages <= tasks * messagesPerTask) ?? maxTasks(policy);
}

/** A service as its scaling rule knows it. Times are seconds of any clock. */
export interface Scaled {
  readonly tasks: number;
  readonly changedAt: number;
  /** What the last readings asked for, the newest last. */
  readonly asked: readonly number[];
}

export function unscaled(tasks: number): Scaled {
  return { tasks, changedAt: Number.NEGATIVE_INFINITY, asked: [] };
}

/** The spot service after a reading of its queue. */
export function scaleSpot(policy: FleetPolicy, service: Scaled, at: number, messages: number): Scaled {
  return after(policy, service, at, tasksFor(policy, messages));
}

/**
 * The on-demand service after a reading of how many spot tasks are missing: asked for and not running. What is missing for
 * `fallbackPeriods` readings in a row is asked for here; it goes as spot tasks go.
 */
export function scaleOnDemand(policy: FleetPolicy, service: Scaled, at: number, missing: readonly number[]): Scaled {
  const { fallbackPeriods, maxOnDemandTasks } = policy;
  const last = missing.slice(-fallbackPeriods);
  const lasting = last.length < fallbackPeriods ? 0 : Math.min(...last);
  return after(policy, service, at, Math.min(lasting, maxOnDemandTasks));
}

function after(policy: FleetPolicy, { tasks, changedAt, asked }: Scaled, at: number, wanted: number): Scaled {
  const last = [...asked, wanted].slice(-policy.idlePeriods);
  if (wanted > tasks) return { tasks: wanted, changedAt: at, asked: last };
  const fewer = Math.max(...last);
  const mayGo = last.length === policy.idlePeriods && fewer < tasks && at - changedAt >= policy.cooldownSeconds;
  return mayGo ? { tasks: fewer, changedAt: at, asked: last } : { tasks, changedAt, asked: last };
}

/** How long after the last message a service of this policy is told to run no more than the minimum, at most. */
export function scaleInSeconds({ idlePeriods, cooldownSeconds }: FleetPolicy, metricDelaySeconds: number): number {
  return metricDelaySeconds + readingSeconds * idlePeriods + cooldownSeconds + readingSeconds;
}
