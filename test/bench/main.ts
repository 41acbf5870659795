/** `npm run bench -- [suite …] [--json] [--part name] [--minutes n]`: figures with what they are measured against, from the same run. */
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
};

async function main(): Promise<number> {
  const options = { json: { type: "boolean" }, part: { type: "string" }, minutes: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const unknown = positionals.find((name) => !Object.hasOwn(suites, name));
  if (unknown) throw new Error(`There is no suite "${unknown}"; there are ${Object.keys(suites).join(" and ")}.`);
  const print = values.json ? JSON.stringify : tableLine;
  const tell = (line: string) => console.error(line);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0)) throw new Error(`--minutes must be positive, not ${values.minutes}.`);
  for (const suite of positionals.length ? positionals : Object.keys(suites)) {
    const run = await suites[suite]!();
    const ending = await run({
      emit: (measured) => console.log(print(toResult({ suite, ...measured }))),
      ...{ tell, part: values.part, minutes },
    });
    if (ending === "interrupted") return 130;
  }
  return 0;
}

process.exit(
  await main().catch((error: Error) => {
    console.error(error.message);
    return 1;
  }),
);
