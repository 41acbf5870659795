/** Asking for a fine-tuning job: everything that can be wrong is found before anything is stored or queued. */
import { createHash, randomInt } from "node:crypto";
import { lookUpBase } from "../../shared/baseModels.ts";
import { ApiError } from "../../shared/errors.ts";
import { isId, newId } from "../../shared/ids.ts";
import type { CreateFineTuningJob, Hyperparameters, JobRecord } from "../../shared/schemas/fineTuningJob.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { JobDelivery } from "./jobDelivery.ts";

/** How a client marks a request that it may have sent before. */
export interface Attempt {
  idempotencyKey: string | undefined;
  /** What the SDK sends when it tries again without having read an answer. */
  retryCount: number;
}

export interface JobCreation {
  create(project: Project, request: CreateFineTuningJob, attempt: Attempt): Promise<JobRecord>;
}

/** How long a repeated request leads to the same job. */
const replaySeconds = 600;

export function createJobCreation(
  { jobs, files, models, bases, claims }: Pick<Stores, "jobs" | "files" | "models" | "bases" | "claims">,
  delivery: JobDelivery,
): JobCreation {
  const requireBaseModel = async (project: Project, id: string) => {
    if (await lookUpBase(bases, id)) return;
    if (id.startsWith("ft:") && id.length <= 512 && (await models.get(project.id, id))) {
      const message = `Continuing from a fine-tuned model is not supported yet: '${id}'. Name a base model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    throw new ApiError("model_not_found", `No such model: '${id}'.`, { param: "model" });
  };

  const requireFile = async (project: Project, id: string, param: string) => {
    const file = isId("file", id) ? await files.get(project.id, id) : undefined;
    if (!file || (file.expires_at != null && file.expires_at <= Date.now() / 1000)) {
      throw new ApiError("invalid_value", `No such file: '${id}'.`, { param });
    }
    if (file.purpose === "fine-tune") return;
    const message = `File '${id}' has purpose '${file.purpose}'; it must be uploaded with purpose 'fine-tune'.`;
    throw new ApiError("invalid_value", message, { param });
  };

  const requireReferences = async (project: Project, request: CreateFineTuningJob) => {
    await requireBaseModel(project, request.model);
    await requireFile(project, request.training_file, "training_file");
    if (request.validation_file == null) return;
    if (request.validation_file === request.training_file) {
      const message =
        "The validation file must differ from the training file: a model is not measured on what it learnt.";
      throw new ApiError("invalid_value", message, { param: "validation_file" });
    }
    await requireFile(project, request.validation_file, "validation_file");
  };

  /** The id of the job this request makes, or of the one that the same request made before. */
  const claimId = async (project: Project, request: CreateFineTuningJob, attempt: Attempt) => {
    const fingerprint = createHash("sha256").update(JSON.stringify(request)).digest("hex");
    const name = claimName(attempt, fingerprint);
    if (attempt.idempotencyKey === undefined && attempt.retryCount === 0) await claims.release(project.id, name);
    const expires_at = Math.floor(Date.now() / 1000) + replaySeconds;
    const claim = await claims.claim(project.id, name, { object_id: newId("job"), fingerprint, expires_at });
    if (claim.fingerprint === fingerprint) return claim.object_id;
    const message = "This Idempotency-Key was used within the last ten minutes for a different request.";
    throw new ApiError("invalid_value", message, { param: "Idempotency-Key" });
  };

  return {
    async create(project, request, attempt) {
      const hyperparameters = chooseHyperparameters(request);
      await requireReferences(project, request);
      const id = await claimId(project, request, attempt);
      const earlier = await jobs.get(project.id, id);
      if (earlier) return earlier;
      const record = newJob(project, id, request, hyperparameters);
      await jobs.create(record, { level: "info", message: `Created fine-tuning job: ${id}` });
      await delivery.send(record);
      return (await jobs.get(project.id, id)) ?? record;
    },
  };
}

function claimName({ idempotencyKey }: Attempt, fingerprint: string): string {
  if (idempotencyKey === undefined) return `body#${fingerprint}`;
  return `key#${createHash("sha256").update(idempotencyKey).digest("hex")}`;
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
