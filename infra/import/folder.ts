/** An export as one gets it from OpenAI: a folder of files, each known by what is in it. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { z } from "zod";
import { decodeUtf8 } from "../../shared/data/lines.ts";
import { joinConversations, type Placed, type Recorded } from "./conversations.ts";
import { type Kind, kindOf } from "./kinds.ts";
import { OpenAiEval, OpenAiEvalRun, OpenAiFile, OpenAiJob } from "./openAiObjects.ts";
import type { Problem } from "./problem.ts";
import { type JsonFile, placeIn, readJsonFile } from "./records.ts";
import { readTraining, type TrainingFile } from "./training.ts";

export interface Export {
  /** Every file, with how many of each kind are in it; none of an unknown one. */
  files: { path: string; holds: Partial<Record<Kind, number>> }[];
  trainingFiles: TrainingFile[];
  jobs: OpenAiJob[];
  fileObjects: OpenAiFile[];
  evals: OpenAiEval[];
  evalRuns: OpenAiEvalRun[];
  recorded: Recorded[];
  problems: Problem[];
}

type Sorted = Map<Kind, Placed[]>;

/** What a file's text may be at most, in JavaScript; OpenAI's own files are no larger. */
const mostBytes = 512 * 1024 * 1024;
const preference = "a preference (DPO) row: unsupported, Millrace learns labels, not preferences between answers";

export async function readExport(folder: string): Promise<Export> {
  const files: Export["files"] = [];
  const trainingFiles: TrainingFile[] = [];
  const problems: Problem[] = [];
  const sorted: Sorted = new Map();
  for (const path of await pathsIn(folder)) {
    const text = await textOf(join(folder, path));
    const file = text === undefined ? undefined : readJsonFile(text);
    const holds = file ? sort(sorted, path, file) : {};
    files.push({ path, holds });
    if (!file || Object.keys(holds).length === 0) {
      problems.push({ place: path, message: "Nothing in it is known from OpenAI's exports: it is left alone." });
      continue;
    }
    problems.push(...strangersIn(path, file));
    if (!holds.training_row && !holds.prompt_row) continue;
    const read = await readTraining({ path, text: text!, file, kindOf: ({ value }) => kindOf(value) });
    problems.push(...read.problems);
    if (read.training) trainingFiles.push(read.training);
  }
  const of = (kind: Kind) => sorted.get(kind) ?? [];
  const { recorded, problems: unjoined } = joinConversations({
    completions: of("completion"),
    messages: of("message"),
    batchRequests: of("batch_request"),
    batchAnswers: of("batch_answer"),
  });
  problems.push(...unjoined);
  return {
    files,
    trainingFiles,
    jobs: parsed(OpenAiJob, of("job"), problems),
    fileObjects: parsed(OpenAiFile, of("file"), problems),
    evals: parsed(OpenAiEval, of("eval"), problems),
    evalRuns: parsed(OpenAiEvalRun, of("eval_run"), problems),
    recorded: once(recorded),
    problems,
  };
}

/** By name, without what is hidden. */
async function pathsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const own = paths.map((path) => relative(folder, path));
  return own.filter((path) => !path.split("/").some((part) => part.startsWith("."))).sort();
}

/** Undefined where it is too large, or no text. */
async function textOf(path: string): Promise<string | undefined> {
  return (await stat(path)).size > mostBytes ? undefined : decodeUtf8(await readFile(path));
}

/** Puts each object where its kind is gathered, and counts them. */
function sort(sorted: Sorted, path: string, file: JsonFile): Partial<Record<Kind, number>> {
  const holds: Partial<Record<Kind, number>> = {};
  for (const { value, number } of file.records) {
    const kind = kindOf(value);
    if (!kind) continue;
    holds[kind] = (holds[kind] ?? 0) + 1;
    if (kind === "training_row") continue;
    const placed = { value, place: placeIn(path, file, number) };
    const gathered = sorted.get(kind);
    if (gathered) gathered.push(placed);
    else sorted.set(kind, [placed]);
  }
  return holds;
}

/** Of a file that is known: what in it is not, and what is and cannot be used. */
function strangersIn(path: string, file: JsonFile): Problem[] {
  const at = (number: number, message: string) => ({ place: placeIn(path, file, number), message });
  return [
    ...file.broken.map((number) => at(number, "No JSON object: it is left out.")),
    ...file.records.flatMap(({ value, number }) => {
      const kind = kindOf(value);
      if (kind === "preference_row") return at(number, `It is ${preference}.`);
      return kind ? [] : at(number, "Nothing known from OpenAI's exports: it is left out.");
    }),
  ];
}

function parsed<Schema extends z.ZodType>(schema: Schema, found: readonly Placed[], problems: Problem[]) {
  return found.flatMap(({ value, place }): z.infer<Schema>[] => {
    const result = schema.safeParse(value);
    if (result.success) return [result.data];
    const [issue] = result.error.issues;
    problems.push({ place, message: `'${issue!.path.join(".")}': ${issue!.message}.` });
    return [];
  });
}

/** A folder may hold the same page twice. */
function once(recorded: readonly Recorded[]): Recorded[] {
  return [...new Map(recorded.map((each) => [each.id, each])).values()];
}
