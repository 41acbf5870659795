/** `npm run millrace`: what a customer runs against a deployment, through its API alone. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import OpenAI from "openai";
import { importOpenAi } from "./import/command.ts";
import { connect } from "./import/deployment.ts";
import { exportOpenAi } from "./import/exportOpenAi.ts";
import { showCount } from "./import/progress.ts";
import { Refusal } from "./models/refusal.ts";

const usage = `Usage:
  npm run millrace -- export openai <folder>
  npm run millrace -- import openai <folder> [--base-url <url>] [--api-key <key>] [--train] [--model <base>] [--sample <n>] [--report <folder>]`;

const usualModel = "millrace-auto";
const usualSample = 2000;

type Options = Partial<Record<"base-url" | "api-key" | "model" | "sample" | "report", string>> & { train?: boolean };

interface Run {
  folder: string;
  options: Options;
  signal: AbortSignal;
}

const print = (line: string) => console.log(line);
const progress = showCount(process.stderr);

const commands: Record<string, (run: Run) => Promise<void>> = {
  /** With OpenAI's own variables, OPENAI_API_KEY and, of a gateway, OPENAI_BASE_URL. */
  async "export openai"({ folder, signal }) {
    await exportOpenAi({ client: new OpenAI(), signal, progress }, folder, print);
  },
  async "import openai"({ folder, options, signal }) {
    const sample = Number(options.sample ?? usualSample);
    if (!Number.isInteger(sample) || sample < 0) throw new Refusal("--sample is a whole number, 0 or more.");
    const client = connect(options, process.env, resolve(process.env.MILLRACE_HOME ?? ".millrace"));
    const base = options.train ? (options.model ?? usualModel) : undefined;
    const asked = { folder, base, sample, report: options.report };
    const { problems } = await importOpenAi(client, asked, { print, progress }, signal);
    if (problems.length > 0) process.exitCode = 1;
  },
};

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
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
  const [verb, service, folder, ...more] = positionals;
  const name = `${verb} ${service}`;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command || !folder || more.length > 0) throw new Refusal(usage);
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  try {
    await command({ folder, options, signal: stopping.signal });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    console.error("\nStopped. Run the same command again.");
    process.exitCode = 130;
  }
}

main().catch((error: Error) => {
  console.error(error.message || error);
  process.exitCode = 1;
});
