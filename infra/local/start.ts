/** `npm start`: Millrace on this machine until Ctrl-C. */
import { resolve } from "node:path";
import { type Millrace, startMillrace } from "./millrace.ts";
import { StateDirectoryInUse } from "./stateLock.ts";

const home = resolve(process.env.MILLRACE_HOME ?? ".millrace");
const port = Number(process.env.MILLRACE_PORT ?? 0);
if (!Number.isInteger(port) || port < 0 || port > 65535)
  fail(`MILLRACE_PORT must be a port, not "${process.env.MILLRACE_PORT}".`);

let stopping = false;
const starting = startMillrace({ home, port }).catch((error: Error) => {
  return fail(error instanceof StateDirectoryInUse ? error.message : `Millrace did not start: ${error.message}`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop());

console.log(banner(await starting));

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log("\nStopping: the worker puts its work down first …");
  await (await starting).stop();
  console.log("Stopped. Everything is kept; `npm start` goes on from here.");
  process.exit(0);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function banner({ baseUrl, apiKey, adminKey }: Millrace): string {
  const origin = new URL(baseUrl).origin;
  const told = adminKey ? `\n  admin key      ${adminKey}  (shown this once; it makes projects and keys)` : "";
  return `
Millrace is up.  State: ${home}

  base URL       ${baseUrl}
  API key        ${apiKey}${told}
  API reference  ${origin}/reference

Call it with the official SDK:

  import OpenAI from "openai";
  import { createReadStream } from "node:fs";

  const client = new OpenAI({ baseURL: "${baseUrl}", apiKey: "${apiKey}" });
  const file = await client.files.create({ file: createReadStream("train.jsonl"), purpose: "fine-tune" });
  const job = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file.id });
  console.log(job.id, job.status);

Each line of train.jsonl is {"text": "…", "label": "…"}.  Ctrl-C stops everything.
`;
}
