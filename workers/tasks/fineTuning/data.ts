/** First phase: fetch the files, check every line, and split; what is wrong is told line by line before anything trains. */
import { join } from "node:path";
import type { Dataset, DatasetOptions, SourceFile } from "../../../shared/data/dataset.ts";
import { readingOf } from "../../../shared/data/jobReading.ts";
import { prepareOnThread } from "../../../shared/data/prepare.ts";
import { maxReported, type Problem, type ProblemReport } from "../../../shared/data/problems.ts";
import { isId } from "../../../shared/ids.ts";
import { throwIfStopped } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import { type Attempt, append } from "./attempt.ts";
import { fetchDataset } from "./datasetVersion.ts";

type FileParam = "training_file" | "validation_file";

export async function prepareData(attempt: Attempt): Promise<Dataset> {
  const { job, directory, lease } = attempt;
  const { training, validation } = isId("dataset_version", job.training_file)
    ? await fetchDataset(attempt)
    : await fetchFiles(attempt);
  throwIfStopped(attempt);
  try {
    const prepared = join(directory, "data");
    const { kind, holdOut } = readingOf(job);
    const options = { training, validation, directory: prepared, seed: job.seed, kind, holdOut };
    return await prepareOnThread(options, lease.signal);
  } finally {
    throwIfStopped(attempt);
  }
}

type Material = Pick<DatasetOptions, "training" | "validation">;

async function fetchFiles(attempt: Attempt): Promise<Material> {
  const { training_file, validation_file } = attempt.job;
  const training = await fetchFile(attempt, "training_file", training_file);
  return validation_file
    ? { training, validation: await fetchFile(attempt, "validation_file", validation_file) }
    : { training };
}

async function fetchFile({ context, job, directory }: Attempt, param: FileParam, id: string): Promise<SourceFile> {
  const file = await context.stores.files.get(job.project_id, id);
  if (!file) throw new PermanentFailure("file_deleted", `The ${param} ${id} was deleted before it was read.`, param);
  const path = join(directory, param);
  await context.stores.objects.download(file.object_key, path);
  return { path, filename: file.filename };
}

/** Appends an event for each finding; throws PermanentFailure where a file has errors. */
export async function reportFindings(attempt: Attempt, dataset: Dataset): Promise<void> {
  const reports: [FileParam, ProblemReport | null][] = [
    ["training_file", dataset.training],
    ["validation_file", dataset.validation],
  ];
  for (const [param, report] of reports) if (report) await reportFile(attempt, param, report);
  const bad = reports.find(([, report]) => report?.errorCount);
  if (bad) throw invalidFile(bad[0], bad[1]!);
}

async function reportFile(attempt: Attempt, param: FileParam, report: ProblemReport): Promise<void> {
  for (const found of report.errors) await append(attempt, findingEvent(param, found, "error"));
  for (const found of report.warnings) await append(attempt, findingEvent(param, found, "warn"));
  const unlisted = report.warningCount - report.warnings.length;
  if (unlisted > 0) {
    await append(attempt, { level: "warn", message: `${param}: ${unlisted} further warnings are not listed.` });
  }
}

function findingEvent(param: FileParam, found: Problem, level: "error" | "warn") {
  return {
    level,
    message: sentence(param, found),
    data: { param, line: found.line, code: found.code, fix: found.fix },
  };
}

function sentence(param: FileParam, { line, message, fix }: Problem): string {
  return `${param}${line === null ? "" : `, line ${line}`}: ${message} ${fix}`;
}

function invalidFile(param: FileParam, { errors, errorCount }: ProblemReport): PermanentFailure {
  const listed = errors.map((found) => sentence(param, found)).join("\n");
  const more = errorCount > maxReported ? `\nThe first ${maxReported} of ${errorCount} errors are listed.` : "";
  const code = param === "training_file" ? "invalid_training_file" : "invalid_validation_file";
  return new PermanentFailure(code, `${listed}${more}`, param);
}
