/** Answers of a function: environments that are there or must be made, with and without some kept ready; what it costs. */
import { inputs } from "../../shared/fleet/inputs.ts";
import { type Random, randomOf } from "../../shared/statistics/random.ts";
import { burst, daySeconds, poisson } from "./fleetArrivals.ts";
import { type Arranged, Clock } from "./fleetClock.ts";
import { markdown, mean, quantile } from "./fleetMeasures.ts";
import { nothing, type Run } from "./fleetRun.ts";

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

/** Environments of the function that answers, kept ready or not. */
export function serving(run: Run): void {
  const { times, tell, keep } = run;
  const firstSeconds = inputs.lambdaSandboxSeconds.value + quantile(times.first_answer_seconds, 0.5);
  tell(`Serving: an answer takes ${times.answer_seconds.join(", ")} s; a new environment ${firstSeconds} s`);
  const rows = callPatterns.flatMap((calls) =>
    [0, 1, 4].map((provisioned) => servingRow(run, calls, { firstSeconds, provisioned })),
  );
  const table = markdown(["calls", "kept ready", "p50 s", "p95 s", "p99 s", "% that waited", "$ / million"], rows);
  tell(table);
  keep("serving.md", `${table}\n`);
}

function servingRow(
  { times, emit, repeats }: Run,
  { name, moments }: Calls,
  setting: Pick<Serving, "firstSeconds" | "provisioned">,
): string[] {
  const served = Array.from({ length: repeats }, (_, i) => {
    const calls = moments(randomOf(i + 1, 34));
    return serve({ ...setting, moments: calls, answerSeconds: times.answer_seconds, seed: i + 1 });
  });
  const of = (value: (one: Served) => number) => mean(served.map(value));
  const where = `serving/${name}/${setting.provisioned} provisioned`;
  const waits = (["p50", "p95", "p99"] as const).map((share) => {
    const value = of(({ wait }) => wait[share]);
    emit({ case: `${where}/wait ${share}`, value, unit: "seconds", ...nothing });
    return value.toFixed(1);
  });
  const perMillion = of(({ dollars, calls }) => (1e6 * dollars) / calls);
  emit({ case: `${where}/per million calls`, value: perMillion, unit: "dollars", ...nothing });
  const cold = of((one) => (100 * one.cold) / one.calls);
  return [name, String(setting.provisioned), ...waits, cold.toFixed(2), perMillion.toFixed(2)];
}
