/** `npm run millrace`: what a customer runs against a deployment, through its API alone. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { importOpenAi } from "./import/command.ts";
import { connect } from "./import/deployment.ts";
import { showCount } from "./import/progress.ts";
import { Refusal } from "./models/refusal.ts";

const usage = `Usage:
  npm run millrace -- import openai <folder> [--base-url <url>] [--api-key <key>] [--train] [--model <base>] [--sample <n>] [--report <folder>]`;

const usualModel = "millrace-auto";
const usualSample = 2000;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "base-url": { type: "string" },
      "api-key": { type: "string" },
      train: { type: "boolean" },
      model: { type: "string" },
      sample: { type: "string" },
      report: { type: "string" },
    },
  });
  const [verb, from, folder, ...more] = positionals;
  if (verb !== "import" || from !== "openai" || !folder || more.length > 0) throw new Refusal(usage);
  const sample = Number(values.sample ?? usualSample);
  if (!Number.isInteger(sample) || sample < 0) throw new Refusal("--sample is a whole number, 0 or more.");
  const home = resolve(process.env.MILLRACE_HOME ?? ".millrace");
  const client = connect(values, process.env, home);
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  const base = values.train ? (values.model ?? usualModel) : undefined;
  const terminal = { print: (line: string) => console.log(line), progress: showCount(process.stderr) };
  try {
    const { problems } = await importOpenAi(
      client,
      { folder, base, sample, report: values.report },
      terminal,
      stopping.signal,
    );
    if (problems.length > 0) process.exitCode = 1;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    console.error("\nStopped. The same command goes on from here.");
    process.exitCode = 130;
  }
}

main().catch((error: Error) => {
  console.error(error.message || error);
  process.exitCode = 1;
});
