/** What a fine-tuning job would find in its files, and what it is expected to take and to cost. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BalanceStores, balanceOf, leftOf, type Quoted } from "../../shared/budget/balance.ts";
import { estimateJob, type JobPlan, nanosOfJob } from "../../shared/budget/jobCost.ts";
import type { WaitingLine } from "../../shared/budget/waiting.ts";
import type { Dataset, DatasetOptions } from "../../shared/data/dataset.ts";
import { readingOf } from "../../shared/data/jobReading.ts";
import { prepareOnThread } from "../../shared/data/prepare.ts";
import type { ProblemReport } from "../../shared/data/problems.ts";
import { ApiError } from "../../shared/errors.ts";
import { amountOf, type Prices } from "../../shared/pricing/prices.ts";
import type { JobQuote } from "../../shared/schemas/budget.ts";
import type { DatasetVersionRecord } from "../../shared/schemas/dataset.ts";
import type { FileRecord } from "../../shared/schemas/file.ts";
import type { JobRecord } from "../../shared/schemas/fineTuningJob.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";

/** What a job learns from. */
export type Material = { training: FileRecord; validation?: FileRecord } | { version: DatasetVersionRecord };

export interface JobQuotes {
  priceOf(plan: JobPlan): Promise<Quoted>;
  of(project: Project, job: JobRecord, material: Material): Promise<JobQuote>;
}

/** Each reads its files at full speed on a thread. */
const mostAtOnce = 2;
/** Of a dataset's row as a line of a file, about: nobody counts them. */
const bytesPerRow = 80;

export function bytesOf(material: Material): number {
  if ("training" in material) return material.training.bytes;
  const { train = 0, validation = 0 } = material.version.rows ?? {};
  return (train + validation) * bytesPerRow;
}

export function createJobQuotes(
  stores: BalanceStores & Pick<Stores, "objects">,
  line: Pick<WaitingLine, "turnOfNew">,
  prices: Prices,
): JobQuotes {
  let running = 0;
  const readFiles = async (job: JobRecord, material: Material): Promise<Findings> => {
    if (!("training" in material)) return ofVersion(material.version);
    if (running >= mostAtOnce)
      throw new ApiError("overloaded", "Other files are being looked at; try again in a moment.");
    running++;
    const directory = await mkdtemp(join(tmpdir(), "millrace-quote-"));
    try {
      return ofDataset(await readDataset(stores, job, material, directory));
    } finally {
      running--;
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    }
  };

  const priceOf: JobQuotes["priceOf"] = async (plan) => {
    const expected = await estimateJob(stores.budgets, plan);
    const { tokens, seconds } = expected;
    return { nanos: nanosOfJob(prices, plan, expected), tokens, seconds };
  };

  return {
    priceOf,
    async of(project, job, material) {
      const findings = await readFiles(job, material);
      const expected = await estimateJob(stores.budgets, job);
      const nanos = nanosOfJob(prices, job, expected);
      const { position, seconds } = await line.turnOfNew(job);
      const balance = await balanceOf(stores, project.id);
      return {
        object: "fine_tuning.job.quote",
        model: job.model,
        training_file: job.training_file,
        ...findings,
        trained_tokens: expected.tokens,
        estimated_seconds: expected.seconds,
        price: amountOf(prices, nanos),
        measured_jobs: expected.jobs,
        queue_position: position,
        estimated_start: Math.ceil(Date.now() / 1000 + seconds),
        within_spend_limit: balance ? nanos <= leftOf(balance) : null,
      };
    },
  };
}

type Findings = Pick<
  JobQuote,
  "valid" | "errors" | "error_count" | "warning_count" | "training_rows" | "validation_rows"
>;

/** Its rows were checked when it was built. */
function ofVersion({ rows }: DatasetVersionRecord): Findings {
  const { train = 0, validation = 0 } = rows ?? {};
  const none = { valid: true, errors: [], error_count: 0, warning_count: 0 };
  return { ...none, training_rows: train, validation_rows: validation };
}

function ofDataset({ training, validation, trainRows, validRows }: Dataset): Findings {
  const reports = Object.entries({ training_file: training, validation_file: validation }).filter(
    (entry): entry is [string, ProblemReport] => entry[1] !== null,
  );
  const count = (of: "errorCount" | "warningCount") => reports.reduce((sum, [, report]) => sum + report[of], 0);
  const error_count = count("errorCount");
  return {
    valid: error_count === 0,
    errors: reports.flatMap(([param, { errors }]) =>
      errors.map(({ line, code, message, fix }) => ({ param, line, code, message, fix })),
    ),
    error_count,
    warning_count: count("warningCount"),
    training_rows: trainRows,
    validation_rows: validRows,
  };
}

async function readDataset(
  { objects }: Pick<Stores, "objects">,
  job: JobRecord,
  material: Extract<Material, { training: FileRecord }>,
  directory: string,
): Promise<Dataset> {
  const fetch = async (name: string, { object_key, filename }: FileRecord) => {
    const path = join(directory, name);
    await objects.download(object_key, path);
    return { path, filename };
  };
  const options: DatasetOptions = {
    ...{ directory: join(directory, "data"), seed: job.seed, ...readingOf(job) },
    training: await fetch("training_file", material.training),
    ...(material.validation && { validation: await fetch("validation_file", material.validation) }),
  };
  return prepareOnThread(options);
}
