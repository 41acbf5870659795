/** Asking for a fine-tuning job: everything that can be wrong is found before anything is stored or queued. */
import { randomInt } from "node:crypto";
import { lookUpBase } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import type { CreateFineTuningJob, Hyperparameters, JobRecord } from "../../shared/schemas/fineTuningJob.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import { requireFile } from "./namedFile.ts";
import type { Attempt, RequestClaims } from "./requestClaims.ts";

export interface JobCreation {
  create(project: Project, request: CreateFineTuningJob, attempt: Attempt): Promise<JobRecord>;
}

export function createJobCreation(
  { jobs, files, models, bases }: Pick<Stores, "jobs" | "files" | "models" | "bases">,
  claims: RequestClaims,
  delivery: Delivery,
): JobCreation {
  const requireBaseModel = async (project: Project, id: string) => {
    const base = await lookUpBase(bases, id);
    if (base?.architecture === "onnx") {
      const message = `'${id}' is an ONNX model, which is called as it is and cannot be tuned: name another base model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    if (base) return;
    if (id.startsWith("ft:") && id.length <= 512 && (await models.get(project.id, id))) {
      const message = `Continuing from a fine-tuned model is not supported yet: '${id}'. Name a base model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    throw new ApiError("model_not_found", `No such model: '${id}'.`, { param: "model" });
  };

  const requireReferences = async (project: Project, request: CreateFineTuningJob) => {
    await requireBaseModel(project, request.model);
    await requireFile(files, project, request.training_file, { param: "training_file", purpose: "fine-tune" });
    if (request.validation_file == null) return;
    if (request.validation_file === request.training_file) {
      const message =
        "The validation file must differ from the training file: a model is not measured on what it learnt.";
      throw new ApiError("invalid_value", message, { param: "validation_file" });
    }
    await requireFile(files, project, request.validation_file, { param: "validation_file", purpose: "fine-tune" });
  };

  return {
    async create(project, request, attempt) {
      const hyperparameters = chooseHyperparameters(request);
      await requireReferences(project, request);
      const id = await claims.idFor("job", project, request, attempt);
      const earlier = await jobs.get(project.id, id);
      if (earlier) return earlier;
      const record = newJob(project, id, request, hyperparameters);
      await jobs.create(record, { level: "info", message: `Created fine-tuning job: ${id}` });
      await delivery.send(record);
      return (await jobs.get(project.id, id)) ?? record;
    },
  };
}

const auto = { n_epochs: "auto", batch_size: "auto", learning_rate_multiplier: "auto" } as const;

/** `method` is where OpenAI wants them now, `hyperparameters` where they were. */
function chooseHyperparameters({ method, hyperparameters }: CreateFineTuningJob): Required<Hyperparameters> {
  const current = { ...auto, ...method?.supervised?.hyperparameters };
  const deprecated = { ...auto, ...hyperparameters };
  const names = Object.keys(auto) as (keyof Hyperparameters)[];
  if (!hyperparameters || !method?.supervised?.hyperparameters) return hyperparameters ? deprecated : current;
  const differing = names.find((name) => current[name] !== deprecated[name]);
  if (!differing) return current;
  const message = `'hyperparameters.${differing}' contradicts 'method.supervised.hyperparameters'; leave it out.`;
  throw new ApiError("invalid_value", message, { param: `hyperparameters.${differing}` });
}

function newJob(
  project: Project,
  id: string,
  request: CreateFineTuningJob,
  hyperparameters: Required<Hyperparameters>,
): JobRecord {
  return {
    id,
    object: "fine_tuning.job",
    created_at: Math.floor(Date.now() / 1000),
    finished_at: null,
    estimated_finish: null,
    status: "validating_files",
    model: request.model,
    fine_tuned_model: null,
    organization_id: project.organization_id,
    training_file: request.training_file,
    validation_file: request.validation_file ?? null,
    result_files: [],
    seed: request.seed ?? randomInt(2 ** 31),
    trained_tokens: null,
    hyperparameters,
    method: { type: "supervised", supervised: { hyperparameters } },
    metadata: request.metadata ?? null,
    integrations: null,
    error: null,
    project_id: project.id,
    suffix: request.suffix ?? null,
    lease: null,
    failures: 0,
    validated: false,
    latest_checkpoint: null,
  };
}
