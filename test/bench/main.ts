/** `npm run bench -- [suite …] [--json]`: figures with what they are measured against, from the same run. */
import { parseArgs } from "node:util";
import { accuracy } from "./accuracy.ts";
import { audio } from "./audio.ts";
import { engine } from "./engine.ts";
import { images } from "./images.ts";
import { recommendation } from "./recommendation.ts";
import { tableLine, toResult } from "./result.ts";
import type { Suite } from "./suite.ts";
import { tables } from "./tables.ts";
import { training } from "./training.ts";

const suites: Record<string, Suite> = { accuracy, engine, images, audio, tables, recommendation, training };

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { json: { type: "boolean" } }, allowPositionals: true });
  const unknown = positionals.find((name) => !Object.hasOwn(suites, name));
  if (unknown) throw new Error(`There is no suite "${unknown}"; there are ${Object.keys(suites).join(" and ")}.`);
  const print = values.json ? JSON.stringify : tableLine;
  const tell = (line: string) => console.error(line);
  for (const suite of positionals.length ? positionals : Object.keys(suites)) {
    const ending = await suites[suite]!({
      emit: (measured) => console.log(print(toResult({ suite, ...measured }))),
      tell,
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
