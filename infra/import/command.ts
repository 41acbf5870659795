/** `import openai <folder>`: an export of OpenAI becomes files, jobs, names, evals and inferences, and a report says how it went. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type OpenAI from "openai";
import { Refusal } from "../models/refusal.ts";
import { aliasModels } from "./aliases.ts";
import type { Calls } from "./calls.ts";
import { compareModels } from "./comparison.ts";
import { importEvals } from "./evals.ts";
import { uploadFiles } from "./files.ts";
import { readExport } from "./folder.ts";
import { importInferences } from "./inferences.ts";
import { trainJobs } from "./jobs.ts";
import { type ImportReport, toMarkdown, toTerminal } from "./report.ts";

export interface ImportOptions {
  folder: string;
  /** The base that jobs tune; undefined: none is trained. */
  base: string | undefined;
  /** Of each old model at most so many recorded completions are asked again. */
  sample: number;
  /** Where the report goes; undefined: beside the folder. */
  report: string | undefined;
}

export interface Terminal {
  print(line: string): void;
  progress: Calls["progress"];
}

export async function importOpenAi(
  client: OpenAI,
  { folder, base, sample, report: out }: ImportOptions,
  { print, progress }: Terminal,
  signal: AbortSignal,
): Promise<ImportReport> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw new Refusal(`${folder} is no folder.`);
  const calls: Calls = { client, signal, progress };
  const found = await readExport(folder);
  const files = await uploadFiles(calls, found.trainingFiles);
  const inferences = await importInferences(calls, found.recorded);
  const evals = await importEvals(calls, found);
  const jobs = await trainJobs(calls, found, { base, files: files.ids });
  const aliases = await aliasModels(calls, jobs.trained);
  const agreement = await compareModels(calls, found.recorded, { trained: jobs.trained, sample });
  const { problems, ...counts } = inferences;
  const refusals = agreement.flatMap((each) => each.refusals);
  const report: ImportReport = {
    folder,
    base_url: client.baseURL,
    created_at: Math.floor(Date.now() / 1000),
    found: found.files,
    files: files.outcomes,
    jobs: jobs.outcomes,
    aliases,
    evals: evals.outcomes,
    eval_runs: evals.runs,
    inferences: counts,
    agreement,
    problems: [...found.problems, ...problems, ...refusals],
  };
  const directory = await write(report, out ?? besideOf(folder));
  print(toTerminal(report));
  print(`\nReport: ${join(directory, "report.md")} and report.json`);
  return report;
}

/** Not in it: there it would be found as part of the export. */
const besideOf = (folder: string) => join(dirname(resolve(folder)), `${basename(resolve(folder))}-millrace`);

async function write(report: ImportReport, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "report.md"), toMarkdown(report));
  await writeFile(join(directory, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  return directory;
}
