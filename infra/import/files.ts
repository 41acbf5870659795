/** Training files are uploaded under a name that tells what is in them: one that is there is not uploaded again. */
import { basename, extname } from "node:path";
import { toFile } from "openai";
import type { Calls } from "./calls.ts";
import type { Export } from "./folder.ts";
import type { OpenAiJob } from "./openAiObjects.ts";
import type { Outcome } from "./outcome.ts";
import type { TrainingFile } from "./training.ts";

/** 64 bits. */
const digestDigits = 16;

const nameOf = ({ path, digest }: TrainingFile) =>
  `${basename(path, extname(path))}.openai-${digest.slice(0, digestDigits)}.jsonl`;

/** The file's id here by its path there. */
export async function uploadFiles({ client, signal, progress }: Calls, files: readonly TrainingFile[]) {
  const ids = new Map<string, string>();
  const outcomes: Outcome[] = [];
  if (files.length === 0) return { ids, outcomes };
  const there = new Map<string, string>();
  for await (const { filename, id } of client.files.list({ purpose: "fine-tune" }, { signal })) there.set(filename, id);
  for (const [i, file] of files.entries()) {
    progress("files", i, files.length);
    const name = nameOf(file);
    const earlier = there.get(name);
    const upload = async () => {
      const body = { file: await toFile(file.content, name), purpose: "fine-tune" as const };
      return (await client.files.create(body, { signal })).id;
    };
    const id = earlier ?? (await upload());
    there.set(name, id);
    ids.set(file.path, id);
    outcomes.push({ of: file.path, id, state: earlier ? "present" : "imported", note: file.conversion });
  }
  return { ids, outcomes };
}

/** The file of the folder that a job learned from: by the id in its name, by a list of files, or as the only one. */
export function fileOf(
  id: string,
  { trainingFiles, fileObjects, jobs }: Pick<Export, "trainingFiles" | "fileObjects" | "jobs">,
): TrainingFile | undefined {
  const named = trainingFiles.find(({ path }) => basename(path).includes(id));
  const filename = fileObjects.find((file) => file.id === id)?.filename;
  const listed = trainingFiles.filter(({ path }) => basename(path) === filename);
  if (named || listed.length === 1) return named ?? listed[0];
  const isOnly = trainingFiles.length === 1 && new Set(jobs.flatMap(filesOf)).size === 1;
  return isOnly ? trainingFiles[0] : undefined;
}

const filesOf = ({ training_file, validation_file }: OpenAiJob) => [
  training_file,
  ...(validation_file ? [validation_file] : []),
];
