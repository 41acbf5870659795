/**
 * Which model a name stands for: a base of the deployment, one that the project tuned or was permitted to call, or
 * whichever an alias means.
 */
import { type BaseModel, lookUpBase } from "../baseModels.ts";
import { ApiError } from "../errors.ts";
import type { BaseRecord, ImportedRecord, OnnxRecord } from "../schemas/base.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Project } from "../schemas/project.ts";
import type { Stores } from "../stores/stores.ts";

/** Anything that can be named in a request. */
export type CallableModel = BaseModel | ImportedRecord | ModelRecord;

/** Longer names cannot exist: a key of the table ends there. */
const longestId = 512;

export interface ModelLookUp {
  /** The base model of this name, if the deployment has one. */
  base(id: string): Promise<BaseModel | ImportedRecord | undefined>;
  /** The project's own model of this name, and no other's; 404 naming `param` when it has none. */
  fineTuned(project: Pick<Project, "id">, id: string, param?: string): Promise<ModelRecord>;
  /**
   * Either of them, or one of another project that this one was permitted to call, or the one that `alias:…` means, or an alias that is a whole `ft:…` of elsewhere; 404 naming `param`
   * when there is none.
   */
  callable(project: Pick<Project, "id">, id: string, param?: string): Promise<CallableModel>;
}

/** The same as `callable` for whoever leaves it to others to refuse what cannot be called. */
export async function callableIfAny(
  { callable }: Pick<ModelLookUp, "callable">,
  project: Pick<Project, "id">,
  id: string,
): Promise<CallableModel | undefined> {
  try {
    return await callable(project, id);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

interface Rows {
  models: Pick<Stores["models"], "get">;
  bases: Pick<Stores["bases"], "get">;
  aliases: Pick<Stores["aliases"], "get">;
  permissions: Pick<Stores["permissions"], "get">;
}

const aliasPrefix = "alias:";

export function createModelLookUp({ models, bases, aliases, permissions }: Rows): ModelLookUp {
  // A colon parts the names of tuned models; no base has one.
  const base: ModelLookUp["base"] = async (id) => (id.includes(":") ? undefined : lookUpBase(bases, id));
  const own = async (project: Pick<Project, "id">, id: string) =>
    id.length <= longestId ? models.get(project.id, id) : undefined;
  /** Another project's; its row says whose it is, and everything that is bound to a model is bound to that one. */
  const lent = async (project: Pick<Project, "id">, id: string) => {
    const permission = id.startsWith("ft:") && id.length <= longestId && (await permissions.get(project.id, id));
    return permission ? models.get(permission.owner_project_id, id) : undefined;
  };
  const fineTuned: ModelLookUp["fineTuned"] = async (project, id, param = "model") => {
    const model = await own(project, id);
    if (!model) throw new ApiError("model_not_found", `No such model: '${id.slice(0, longestId)}'.`, { param });
    return model;
  };
  /** What an alias means; any other name is what it is. */
  const meant = async (project: Pick<Project, "id">, id: string, param = "model"): Promise<string> => {
    if (!id.startsWith(aliasPrefix) || id.length > longestId) return id;
    const alias = await aliases.get(project.id, id.slice(aliasPrefix.length));
    if (!alias) throw new ApiError("model_not_found", `No such alias: '${id}'.`, { param });
    return alias.model;
  };
  const find = async (project: Pick<Project, "id">, id: string): Promise<CallableModel | undefined> => {
    const known = await base(id);
    const tuned = known ? undefined : ((await own(project, id)) ?? (await lent(project, id)));
    return known ?? (tuned && asCallable(tuned));
  };
  const callable: ModelLookUp["callable"] = async (project, name, param) => {
    const id = await meant(project, name, param);
    const found = await find(project, id);
    if (found) return found;
    const elsewhere = id.startsWith("ft:") ? await aliases.get(project.id, id) : undefined;
    return (elsewhere && (await find(project, elsewhere.model))) ?? asCallable(await fineTuned(project, id, param));
  };
  return { base, fineTuned, callable };
}

/** What a project pre-trained is called as what an operator imported. */
function asCallable(model: ModelRecord): CallableModel {
  if (!model.base || model.kind !== "base") return model;
  const { id, object, created, owned_by, base } = model;
  return { id, object, created, owned_by, architecture: "pretrained", ...base };
}

export function isFineTuned(model: CallableModel): model is ModelRecord {
  return "project_id" in model;
}

/** A checkpoint that an operator imported, or that the project pre-trained. */
export function isImported(model: CallableModel): model is BaseRecord {
  return !isFineTuned(model) && model.architecture === "pretrained";
}

/** An ONNX file that an operator imported. */
export function isOnnx(model: CallableModel): model is OnnxRecord {
  return !isFineTuned(model) && model.architecture === "onnx";
}

/** Why a model that nobody tuned does not answer with labels, and what to ask instead. */
export function withoutLabels(model: CallableModel): ApiError {
  const message = isOnnx(model)
    ? `'${model.id}' is an ONNX model and knows no labels: call it by POST /v1/models/${model.id}/infer.`
    : `'${model.id}' is a base model and knows no labels: fine-tune it, then name the tuned model.`;
  return new ApiError("invalid_value", message, { param: "model" });
}
