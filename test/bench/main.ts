/** `npm run bench -- [suite …] [--json] [--part name] [--seeds n] [--seed n] [--minutes n] [--job-seconds n,n]`: figures with what they are measured against, from the same run. */
import { parseArgs } from "node:util";
import { tableLine, toResult } from "./result.ts";
import type { Suite } from "./suite.ts";

/** Loaded only when asked for: each brings a good part of the engine with it. */
const suites: Record<string, () => Promise<Suite>> = {
  accuracy: async () => (await import("./accuracy.ts")).accuracy,
  engine: async () => (await import("./engine.ts")).engine,
  images: async () => (await import("./images.ts")).images,
  audio: async () => (await import("./audio.ts")).audio,
  tables: async () => (await import("./tables.ts")).tables,
  recommendation: async () => (await import("./recommendation.ts")).recommendation,
  training: async () => (await import("./training.ts")).training,
  serving: async () => (await import("./serving.ts")).serving,
  experiments: async () => (await import("./experiments.ts")).experiments,
  flywheel: async () => (await import("./flywheel.ts")).flywheel,
  labels: async () => (await import("./labels.ts")).labels,
  fairness: async () => (await import("./fairness.ts")).fairness,
  fuzz: async () => (await import("./fuzz.ts")).fuzz,
  reliability: async () => (await import("./reliability.ts")).reliability,
  fleet: async () => (await import("./fleet.ts")).fleet,
};

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const options = {
    json: { type: "boolean" },
    part: text,
    seeds: text,
    seed: text,
    minutes: text,
    "job-seconds": text,
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const unknown = positionals.find((name) => !Object.hasOwn(suites, name));
  if (unknown) throw new Error(`There is no suite "${unknown}"; there are ${Object.keys(suites).join(" and ")}.`);
  const print = values.json ? JSON.stringify : tableLine;
  const tell = (line: string) => console.error(line);
  const minutes = positive("minutes", values.minutes);
  const seeds = positive("seeds", values.seeds);
  const jobSeconds = values["job-seconds"]?.split(",").map((value) => positive("job-seconds", value)!);
  const seed = positive("seed", values.seed);
  for (const suite of positionals.length ? positionals : Object.keys(suites)) {
    const run = await suites[suite]!();
    const ending = await run({
      emit: (measured) => console.log(print(toResult({ suite, ...measured }))),
      ...{ tell, part: values.part, seeds, seed, minutes, jobSeconds },
    });
    if (ending === "interrupted") return 130;
  }
  return 0;
}

function positive(name: string, value: string | undefined): number | undefined {
  if (value !== undefined && !(Number(value) > 0)) throw new Error(`--${name} must be positive, not ${value}.`);
  return value === undefined ? undefined : Number(value);
}

/** What went wrong, and what lay behind it. */
function told({ message, cause }: Error): string {
  return cause instanceof Error ? `${message} (${told(cause)})` : message;
}

process.exit(
  await main().catch((error: Error) => {
    console.error(told(error));
    return 1;
  }),
);
