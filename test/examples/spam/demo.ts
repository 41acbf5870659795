/** `npm run demo`: a spam filter from real mail, chosen by a race, fine-tuned and measured on this machine, in minutes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Millrace } from "../../../infra/local/millrace.ts";
import { withMillrace } from "../withMillrace.ts";
import { calibration } from "./measures.ts";
import { renderReport } from "./report.ts";
import { askAll, compare, connect, read, showCalls, tune } from "./steps.ts";
import { seconds, stages, tell } from "./terminal.ts";

const directory = join(resolve(process.env.MILLRACE_HOME ?? ".millrace"), "demo");
const state = join(directory, "state");
const report = join(directory, "report.svg");

async function demo(millrace: Promise<Millrace>, base: string, limit: number | undefined): Promise<void> {
  const started = performance.now();
  const stage = stages(7);
  const client = await stage("Start Millrace", () => connect(millrace));
  const split = await stage("Read real mail", () => read(limit));
  const { model, loss } = await stage(`Upload and fine-tune ${base}`, () => tune(client, base, split.train));
  const verdicts = await stage("Ask about every held-out mail", () => askAll(client, model, split.test));
  const scores = await stage("Compare", () => compare(split, verdicts));
  await stage("Five calls, one after another", () => showCalls(client, model, split.test));
  await stage("Draw the report", () => {
    const subtitle = `${split.train.length} mails learned, ${split.test.length} held out, ${new Date().toISOString().slice(0, 10)}`;
    const probabilities = verdicts.map((verdict) => verdict.probabilities.spam ?? null);
    writeFileSync(report, renderReport({ subtitle, loss, scores, bins: calibration(split.test, probabilities) }));
    tell(relative(".", report));
  });
  console.log(farewell(seconds(performance.now() - started), model));
}

const farewell = (took: string, model: string): string => `
Done in ${took}. What to try next:

  MILLRACE_HOME=${relative(".", state)} npm start
      serves ${model} until Ctrl-C
  npm start
      an empty Millrace: upload JSONL rows of {"text", "label"} of your own and fine-tune on them
  test/examples/customer.ts
      the calls made here, with the official openai SDK; README.md has the rest
`;

function mailLimit(asked: string | undefined): number | undefined {
  if (asked === undefined) return undefined;
  const limit = Number(asked);
  if (!Number.isInteger(limit) || limit < 100)
    throw new Error(`--mails takes a whole number from 100, not "${asked}".`);
  return limit;
}

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({ options: { mails: text, model: text }, allowPositionals: true });
  const [which, ...rest] = positionals;
  if (which === "flywheel" && rest.length === 0) return await (await import("../flywheel/demo.ts")).flywheel();
  if (which !== undefined)
    throw new Error(`There is no demo "${which}"; there is flywheel, and the one without a name.`);
  const { mails, model = "millrace-auto" } = values;
  const limit = mailLimit(mails);
  mkdirSync(directory, { recursive: true });
  console.log("Millrace demo: a spam filter, fine-tuned on real mail, on this machine. Ctrl-C stops it.");
  const ending = await withMillrace(state, (millrace) => demo(millrace, model, limit));
  if (ending === "done") return 0;
  console.log("\nStopped.");
  return 130;
}

process.exit(
  await main().catch((error: Error) => {
    console.error(`\nThe demo stopped: ${error.message}`);
    return 1;
  }),
);
