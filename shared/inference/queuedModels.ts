/** Which models are too heavy to run where requests land, so that a worker answers for them. */
import { type BaseContent, bytesOf } from "../schemas/baseContent.ts";
import type { Project } from "../schemas/project.ts";
import { type CallableModel, callableIfAny, isFineTuned, type ModelLookUp } from "./modelLookUp.ts";

/** Undefined where the model is light. `heavyBytes` of 0: none is heavy by its size alone. */
export async function heavyModel(
  models: ModelLookUp,
  project: Pick<Project, "id">,
  { model: id }: { model?: unknown },
  heavyBytes: number,
): Promise<CallableModel | undefined> {
  if (typeof id !== "string") return undefined;
  const model = await callableIfAny(models, project, id);
  if (!model) return undefined;
  const base = isFineTuned(model) ? await models.base(model.base_model) : model;
  const isHeavy = (base && "heavy" in base && base.heavy) || (heavyBytes > 0 && weightBytes(model) > heavyBytes);
  return isHeavy ? model : undefined;
}

/** Of the weights it is run with, but for those that come with Millrace, which are small. */
function weightBytes(model: CallableModel): number {
  const content: Pick<BaseContent, "files"> | undefined = isFineTuned(model)
    ? model.base
    : "files" in model
      ? model
      : undefined;
  return content ? bytesOf(content) : 0;
}
