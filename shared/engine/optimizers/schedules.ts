/** Learning-rate schedules: plain functions from the step (0 for the first) to the rate fed at that step. */
export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  /** The highest rate. */
  readonly learningRate: number;
  /** Steps over which the rate rises in a line from 0; the first step already has 1/warmupSteps of it. Default 0. */
  readonly warmupSteps?: number;
  /** Steps after which the rate has fallen to 0. */
  readonly totalSteps: number;
}

type Decay = (progress: number) => number;

const decays = {
  constant: () => 1,
  linear: (progress) => 1 - progress,
  // Loshchilov and Hutter 2017, equation 5, one period.
  cosine: (progress) => (1 + Math.cos(Math.PI * progress)) / 2,
} satisfies Record<string, Decay>;

export type ScheduleName = keyof typeof decays;

/** Warm-up, then the named decay. Throws RangeError unless 0 <= warmupSteps <= totalSteps. */
export function schedule(name: ScheduleName, { learningRate, warmupSteps = 0, totalSteps }: ScheduleOptions): Schedule {
  if (!(warmupSteps >= 0 && warmupSteps <= totalSteps)) {
    throw new RangeError(`warmupSteps must lie between 0 and totalSteps (${totalSteps}), not ${warmupSteps}`);
  }
  const decay: Decay = decays[name];
  return (step) => {
    if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
    const progress = (step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1);
    return learningRate * decay(Math.min(progress, 1));
  };
}
