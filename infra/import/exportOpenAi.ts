/** `export openai <folder>`: what an import reads, fetched from OpenAI by its SDK; whatever is gone there is told and passed over. */
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { type Calls, forEach } from "./calls.ts";

const atOnce = 4;

/** Overwrites what an earlier export left of the same names. */
export async function exportOpenAi(calls: Calls, folder: string, print: (line: string) => void): Promise<void> {
  const { client, signal } = calls;
  await mkdir(folder, { recursive: true });
  const unlessGone = (what: string) => (error: unknown) => {
    if (!(error instanceof OpenAI.NotFoundError)) throw error;
    print(`${what}: not there (404)`);
  };
  const jobs = await Array.fromAsync(client.fineTuning.jobs.list({ limit: 100 }, { signal }));
  await save(join(folder, "jobs.jsonl"), jobs);
  const files = new Set(jobs.flatMap((job) => [job.training_file, job.validation_file].filter((id) => id !== null)));
  await forEach([...files], atOnce, (id) => saveFile(calls, id, folder).catch(unlessGone(id)));
  await save(join(folder, "evals.jsonl"), evalsAndRuns(calls)).catch(unlessGone("evals"));
  await save(join(folder, "completions.jsonl"), conversations(calls));
}

async function save(path: string, values: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const value of values) await file.write(`${JSON.stringify(value)}\n`);
  } finally {
    await file.close();
  }
}

/** Its id is its name, by which an import knows which job it was of. */
async function saveFile({ client, signal }: Calls, id: string, folder: string): Promise<void> {
  const content = await client.files.content(id, { signal });
  await writeFile(join(folder, `${id}.jsonl`), Buffer.from(await content.arrayBuffer()));
}

async function* evalsAndRuns({ client, signal }: Calls) {
  for await (const each of client.evals.list({ limit: 100 }, { signal })) {
    yield each;
    yield* client.evals.runs.list(each.id, { limit: 100 }, { signal });
  }
}

/** A stored completion does not tell what was said before it: that is asked for, each. */
async function* conversations({ client, signal, progress }: Calls) {
  let done = 0;
  for await (const completion of client.chat.completions.list({ limit: 100 }, { signal })) {
    const said = client.chat.completions.messages.list(completion.id, { limit: 100 }, { signal });
    yield { ...completion, messages: await Array.fromAsync(said) };
    done++;
    progress("completions", done, Number.POSITIVE_INFINITY);
  }
}
