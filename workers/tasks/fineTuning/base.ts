/** What a job starts from: a base that comes with Millrace, an imported one or the project's own, its content the same for every attempt. */
import { findBaseModel } from "../../../shared/baseModels.ts";
import type { TrainingRequest } from "../../../shared/engine/training/train.ts";
import { BaseContent } from "../../../shared/schemas/baseContent.ts";
import { PermanentFailure } from "../../task.ts";
import { type Attempt, record } from "./attempt.ts";

export async function fetchBase(attempt: Attempt): Promise<Pick<TrainingRequest, "architecture" | "base">> {
  const { context, job } = attempt;
  const ours = findBaseModel(job.model);
  if (ours) return { architecture: ours.architecture, base: null };
  const content = job.base ?? (await pin(attempt));
  const { path } = await context.baseFiles.open(content);
  return { architecture: "pretrained", base: { directory: path, digest: content.digest } };
}

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
