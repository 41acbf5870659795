/** What a job starts from: a base that comes with Millrace, an imported one or the project's own, its content the same for every attempt. */
import { findBaseModel, starterBasesFor } from "../../../shared/baseModels.ts";
import type { Dataset } from "../../../shared/data/dataset.ts";
import { readExamples } from "../../../shared/engine/training/examples.ts";
import type { TrainingRequest } from "../../../shared/engine/training/train.ts";
import { BaseContent } from "../../../shared/schemas/baseContent.ts";
import { PermanentFailure } from "../../task.ts";
import { type Attempt, record } from "./attempt.ts";

type StartingPoint = Pick<TrainingRequest, "architecture" | "base">;

/** Of a job on `millrace-auto`, which base it is depends on what there is to learn. */
export async function fetchStart(attempt: Attempt, dataset: Dataset): Promise<StartingPoint> {
  const { job } = attempt;
  if (findBaseModel(job.model)?.architecture !== "auto") return fetchBase(attempt);
  const content = job.base ?? (await pinStarter(attempt, dataset));
  return { architecture: "auto", base: content && (await directoryOf(attempt, content)) };
}

export async function fetchBase(attempt: Attempt): Promise<StartingPoint> {
  const { job } = attempt;
  const ours = findBaseModel(job.model);
  if (ours) return { architecture: ours.architecture, base: null };
  return { architecture: "pretrained", base: await directoryOf(attempt, job.base ?? (await pin(attempt))) };
}

async function directoryOf({ context }: Attempt, content: BaseContent) {
  const { path } = await context.baseFiles.open(content);
  return { directory: path, digest: content.digest };
}

/** The starter base that suits the rows, or another one; null where the deployment has none. */
async function pinStarter(attempt: Attempt, { trainFile }: Dataset): Promise<BaseContent | null> {
  const { context, job } = attempt;
  // What came so far came without one, and goes on without.
  if (job.latest_checkpoint) return null;
  for (const id of starterBasesFor(readExamples(trainFile).texts.slice(0, mostLookedAt))) {
    const found = await context.stores.bases.get(id);
    if (found?.architecture !== "pretrained") continue;
    const base = BaseContent.parse(found);
    await record(attempt, { base });
    return base;
  }
  return null;
}

/** Rows by which texts are taken for one language or another. */
const mostLookedAt = 2000;

/** Another checkpoint may be imported under the same name while the job waits for its next attempt. */
async function pin(attempt: Attempt): Promise<BaseContent> {
  const { context, job } = attempt;
  const found = job.model.startsWith("ft:") ? await ownBase(attempt) : await context.stores.bases.get(job.model);
  if (!found) {
    const message = `The base model ${job.model} was removed before the job began.`;
    throw new PermanentFailure("model_not_found", message, "model");
  }
  const base = BaseContent.parse(found);
  await record(attempt, { base });
  return base;
}

/** A base that the project pre-trained. */
async function ownBase({ context, job }: Attempt): Promise<BaseContent | undefined> {
  const model = await context.stores.models.get(job.project_id, job.model);
  return model?.kind === "base" ? model.base : undefined;
}
