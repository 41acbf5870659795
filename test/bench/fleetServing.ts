/** Answers of a function: environments that are there or must be made, with and without some kept ready; what it costs. */
import { inputs } from "../../shared/fleet/inputs.ts";
import { type Random, randomOf } from "../../shared/statistics/random.ts";
import { burst, daySeconds, poisson } from "./fleetArrivals.ts";
import { type Arranged, Clock } from "./fleetClock.ts";
import { quantile } from "./fleetMeasures.ts";

export interface Calls {
  readonly name: string;
  readonly about: string;
  readonly moments: (random: Random) => number[];
}

const daily = (at: number) => 1 - Math.cos((2 * Math.PI * at) / daySeconds);

export const callPatterns: readonly Calls[] = [
  { name: "idle", about: "a call every half hour", moments: (random) => poisson(random, 2 / 3600) },
  { name: "steady", about: "a call a second", moments: (random) => poisson(random, 1) },
  { name: "diurnal", about: "a call a second over the day", moments: (random) => poisson(random, 2, daily) },
  { name: "burst", about: "1,000 calls within a minute", moments: burst },
];

export interface Serving {
  /** Rising, within a day. */
  readonly moments: readonly number[];
  /** What an answer takes, each as likely as any other. */
  readonly answerSeconds: readonly number[];
  /** From a call that finds no environment to the one made for it being at work. */
  readonly firstSeconds: number;
  /** Environments that are kept ready all day. */
  readonly provisioned: number;
  readonly seed: number;
}

export interface Served {
  /** Seconds a call waited for its environment. */
  readonly wait: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Calls that waited for one. */
  readonly cold: number;
  readonly calls: number;
  readonly dollars: number;
}

export function serve({ moments, answerSeconds, firstSeconds, provisioned, seed }: Serving): Served {
  const clock = new Clock();
  const random = randomOf(seed, 33);
  const waits: number[] = [];
  const spent = { provisioned: 0, other: 0 };
  let ready = provisioned;
  /** When each idle one is given up; the one used last comes first. */
  const idle: Arranged[] = [];
  const call = () => {
    const seconds = answerSeconds[random.below(answerSeconds.length)]!;
    if (ready > 0) {
      ready--;
      waits.push(0);
      spent.provisioned += seconds;
      clock.after(seconds, () => ready++);
      return;
    }
    const warm = idle.pop();
    warm?.cancel();
    const wait = warm ? 0 : firstSeconds;
    waits.push(wait);
    // The code's own start is billed as its work is; the sandbox before it is not.
    spent.other += seconds + (warm ? 0 : firstSeconds - inputs.lambdaSandboxSeconds.value);
    clock.after(wait + seconds, () => idle.push(clock.after(inputs.lambdaIdleSeconds.value, () => idle.shift())));
  };
  for (const at of moments) clock.at(at, call);
  clock.run();
  return {
    wait: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), p99: quantile(waits, 0.99) },
    ...{ cold: waits.filter((wait) => wait > 0).length, calls: waits.length },
    dollars: dollarsOf(spent, provisioned, waits.length),
  };
}

function dollarsOf(spent: { provisioned: number; other: number }, provisioned: number, calls: number): number {
  const gigabytes = inputs.lambdaGigabytes.value;
  const perGigabyte =
    spent.other * inputs.lambdaDollarsPerGigabyteSecond.value +
    spent.provisioned * inputs.provisionedRunDollarsPerGigabyteSecond.value +
    provisioned * daySeconds * inputs.provisionedDollarsPerGigabyteSecond.value;
  return gigabytes * perGigabyte + (calls / 1e6) * inputs.lambdaDollarsPerMillion.value;
}
