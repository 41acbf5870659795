/** When jobs come, and how long each takes a worker: seeded patterns of a day. */
import { type Random, randomOf } from "../../shared/statistics/random.ts";
import type { Storm } from "./fleetHosts.ts";
import type { Arrival } from "./fleetSimulation.ts";

export const daySeconds = 24 * 3600;

export interface Pattern {
  readonly name: string;
  readonly about: string;
  /** Moments at which jobs come, in seconds. */
  readonly moments: (random: Random) => number[];
  readonly storms: readonly Storm[];
}

const perHour = (jobs: number) => jobs / 3600;

/** A day of jobs at `rate(t)` jobs a second, at most `most` (thinning: Lewis and Shedler 1979). */
export function poisson(random: Random, most: number, rate: (at: number) => number = () => most): number[] {
  const moments: number[] = [];
  for (let at = exponential(random, most); at < daySeconds; at += exponential(random, most)) {
    if (random.uniform() * most < rate(at)) moments.push(at);
  }
  return moments;
}

/** Seconds between events of so many a second. */
export function exponential(random: Random, rate: number): number {
  return -Math.log(1 - random.uniform()) / rate;
}

const halfHour = 1800;
const storms = [4, 10, 16].map((hour) => ({ at: hour * 3600, share: 0.8, seconds: halfHour }));

/** Days of a fleet that gets so many jobs an hour when it is busy. */
export function patternsOf(jobsPerHour: number): Pattern[] {
  const rate = perHour(jobsPerHour);
  /** Night at 0, the most at noon. */
  const daily = (at: number) => rate * (1 - Math.cos((2 * Math.PI * at) / daySeconds));
  return [
    {
      ...{ name: "idle", about: "a job every four hours" },
      ...{ moments: (random) => poisson(random, perHour(0.25)), storms: [] },
    },
    {
      ...{ name: "steady", about: `${jobsPerHour} jobs an hour` },
      ...{ moments: (random) => poisson(random, rate), storms: [] },
    },
    {
      ...{ name: "diurnal", about: `${jobsPerHour} an hour over the day, none at midnight, twice as many at noon` },
      ...{ moments: (random) => poisson(random, 2 * rate, daily), storms: [] },
    },
    { name: "burst", about: "1,000 jobs within a minute", moments: burst, storms: [] },
    {
      name: "storms",
      about: `${jobsPerHour} an hour; three times four of five spot hosts are reclaimed and none are to be had for half an hour`,
      moments: (random) => poisson(random, rate),
      storms,
    },
  ];
}

/** A thousand within the minute after the first hour. */
export function burst(random: Random): number[] {
  return Array.from({ length: 1000 }, () => 3600 + 60 * random.uniform()).sort((a, b) => a - b);
}

/** `seconds`: what jobs took, each as likely as any other. */
export function arrivalsOf({ moments }: Pattern, seconds: readonly number[], seed: number): Arrival[] {
  const random = randomOf(seed, 32);
  return moments(random).map((at) => ({ at, seconds: seconds[random.below(seconds.length)]! }));
}
