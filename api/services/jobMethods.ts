/** How a job learns: what each method takes for settings, and what must be there for it before anything is queued. */
import type { Architecture, BaseModel } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import type { ImportedRecord } from "../../shared/schemas/base.ts";
import {
  type CreateFineTuningJob,
  type Hyperparameters,
  hyperparametersOf,
  type Method,
} from "../../shared/schemas/fineTuningJob.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";

/** What a job starts from; `id` as the request named it. */
export type StartingBase = Pick<BaseModel | ImportedRecord, "id"> & { architecture: Architecture };

export interface MethodCall {
  request: CreateFineTuningJob;
  base: StartingBase;
  /** A model of the project's own. */
  findModel(id: string): Promise<ModelRecord | undefined>;
}

export type ResolvedMethod = Method & { hyperparameters: Required<Hyperparameters> };

const auto = { n_epochs: "auto", batch_size: "auto", learning_rate_multiplier: "auto" } as const;

/** Throws ApiError where the method's settings contradict the deprecated ones. */
export function resolveMethod({ method, hyperparameters: deprecated }: CreateFineTuningJob): ResolvedMethod {
  const asked = method ?? { type: "supervised" as const };
  const hyperparameters = chooseHyperparameters(asked, deprecated);
  return { ...settled(asked, hyperparameters), hyperparameters };
}

function settled(method: Method, hyperparameters: Required<Hyperparameters>): Method {
  if (method.type === "distill") return { type: "distill", distill: { ...method.distill, hyperparameters } };
  if (method.type === "supervised") return { type: "supervised", supervised: { hyperparameters } };
  const { objective = "auto", contrastive = false } = method.pretrain ?? {};
  return { type: "pretrain", pretrain: { hyperparameters, objective, contrastive } };
}

/** `method` is where OpenAI wants them now, `hyperparameters` where they were. */
function chooseHyperparameters(
  method: Method,
  deprecated: Hyperparameters | null | undefined,
): Required<Hyperparameters> {
  const asked = hyperparametersOf(method);
  const current = { ...auto, ...asked };
  const former = { ...auto, ...deprecated };
  const names = Object.keys(auto) as (keyof Hyperparameters)[];
  if (!deprecated || !asked) return deprecated ? former : current;
  const differing = names.find((name) => current[name] !== former[name]);
  if (!differing) return current;
  const message = `'hyperparameters.${differing}' contradicts 'method.${method.type}.hyperparameters'; leave it out.`;
  throw new ApiError("invalid_value", message, { param: `hyperparameters.${differing}` });
}

/** Throws ApiError where the method cannot begin from this base, or misses what it needs beside it. */
export async function requireForMethod(method: Method, call: MethodCall): Promise<void> {
  if (method.type === "pretrain") requireForPretraining(call);
  if (method.type === "distill") await requireForDistillation(method.distill.teacher, call);
}

function requireForPretraining({ base, request }: MethodCall): void {
  if (base.architecture !== "pretrained") {
    const message = `'${base.id}' learns from nothing each time and has nothing to pre-train: name an imported base model.`;
    throw new ApiError("invalid_value", message, { param: "model" });
  }
  if (request.validation_file == null) return;
  const message = "Pre-training holds out texts of the training file by itself: leave 'validation_file' out.";
  throw new ApiError("invalid_value", message, { param: "validation_file" });
}

async function requireForDistillation(id: string, { base, findModel }: MethodCall): Promise<void> {
  const param = "method.distill.teacher";
  const teacher = await findModel(id);
  if (!teacher) throw new ApiError("model_not_found", `No such fine-tuned model: '${id}'.`, { param });
  if (teacher.kind === "base" || teacher.columns) {
    const message = `'${id}' does not label texts: name a model that was fine-tuned on texts with labels.`;
    throw new ApiError("invalid_value", message, { param });
  }
  if (base.architecture !== "tabular") return;
  const message = `'${base.id}' reads rows of tables, and the teacher labels texts: name another base model.`;
  throw new ApiError("invalid_value", message, { param: "model" });
}
