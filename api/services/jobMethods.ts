/** How a job learns: what each method takes for settings, and what must be there for it before anything is queued. */
import type { Architecture, BaseModel } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import type { ImportedRecord } from "../../shared/schemas/base.ts";
import type { CreateFineTuningJob, Hyperparameters, Method } from "../../shared/schemas/fineTuningJob.ts";
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

/** Throws ApiError where the settings are of another method than the type, or contradict the deprecated ones. */
export function resolveMethod(request: CreateFineTuningJob): ResolvedMethod {
  const { type, ...settings } = request.method ?? ({ type: "supervised" } as Method);
  const stray = Object.keys(settings).find((name) => name !== type && settings[name as keyof typeof settings]);
  if (stray) {
    const message = `'method.${stray}' is not for a job of type '${type}'; leave it out.`;
    throw new ApiError("invalid_value", message, { param: `method.${stray}` });
  }
  const hyperparameters = chooseHyperparameters(request, type);
  return { ...resolvers[type](request, hyperparameters), hyperparameters };
}

type Resolve = (request: CreateFineTuningJob, hyperparameters: Required<Hyperparameters>) => Method;

const resolvers: Record<Method["type"], Resolve> = {
  supervised: (_request, hyperparameters) => ({ type: "supervised", supervised: { hyperparameters } }),
  pretrain({ method }, hyperparameters) {
    const { objective = "auto", contrastive = false } = method?.pretrain ?? {};
    return { type: "pretrain", pretrain: { hyperparameters, objective, contrastive } };
  },
  distill({ method }, hyperparameters) {
    const teacher = method?.distill?.teacher;
    if (teacher) return { type: "distill", distill: { teacher, hyperparameters } };
    const message = "'method.distill.teacher' must name the fine-tuned model that labels the texts.";
    throw new ApiError("missing_required_parameter", message, { param: "method.distill.teacher" });
  },
};

/** `method` is where OpenAI wants them now, `hyperparameters` where they were. */
function chooseHyperparameters(
  { method, hyperparameters }: CreateFineTuningJob,
  type: Method["type"],
): Required<Hyperparameters> {
  const asked = method?.[type]?.hyperparameters;
  const current = { ...auto, ...asked };
  const deprecated = { ...auto, ...hyperparameters };
  const names = Object.keys(auto) as (keyof Hyperparameters)[];
  if (!hyperparameters || !asked) return hyperparameters ? deprecated : current;
  const differing = names.find((name) => current[name] !== deprecated[name]);
  if (!differing) return current;
  const message = `'hyperparameters.${differing}' contradicts 'method.${type}.hyperparameters'; leave it out.`;
  throw new ApiError("invalid_value", message, { param: `hyperparameters.${differing}` });
}

/** Throws ApiError where the method cannot begin from this base, or misses what it needs beside it. */
export async function requireForMethod(type: Method["type"], call: MethodCall): Promise<void> {
  await requirements[type](call);
}

const requirements: Record<Method["type"], (call: MethodCall) => void | Promise<void>> = {
  supervised() {},

  pretrain({ base, request }) {
    if (base.architecture !== "pretrained") {
      const message = `'${base.id}' learns from nothing each time and has nothing to pre-train: name an imported base model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    if (request.validation_file == null) return;
    const message = "Pre-training holds out texts of the training file by itself: leave 'validation_file' out.";
    throw new ApiError("invalid_value", message, { param: "validation_file" });
  },

  async distill({ base, request, findModel }) {
    const id = request.method!.distill!.teacher;
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
  },
};
