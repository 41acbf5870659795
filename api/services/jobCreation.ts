/** Asking for a fine-tuning job: everything that can be wrong is found before anything is stored or queued. */
import { randomInt } from "node:crypto";
import { lookUpBase } from "../../shared/baseModels.ts";
import { type BalanceStores, createWithin } from "../../shared/budget/balance.ts";
import { ApiError } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type { Prices } from "../../shared/pricing/prices.ts";
import type { JobQuote } from "../../shared/schemas/budget.ts";
import type { CreateFineTuningJob, JobRecord, Method } from "../../shared/schemas/fineTuningJob.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import { type ResolvedMethod, requireForMethod, resolveMethod, type StartingBase } from "./jobMethods.ts";
import { bytesOf, type JobQuotes, type Material } from "./jobQuotes.ts";
import { requireFile } from "./namedFile.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

/** Longer names cannot exist: a key of the table ends there. */
const longestId = 512;

export interface JobCreation {
  /** Throws ApiError `insufficient_quota` where the project's month has no room for it. */
  create(project: Project, request: CreateFineTuningJob, attempt: Attempt): Promise<JobRecord>;
  /** What a job would find, take and cost; throws what creating it would. */
  quote(project: Project, request: CreateFineTuningJob): Promise<JobQuote>;
}

interface Needs {
  stores: BalanceStores & Pick<Stores, "jobs" | "files" | "models" | "bases" | "datasets">;
  quotes: JobQuotes;
  delivery: Delivery<JobRecord>;
  prices: Prices;
}

export function createJobCreation({ stores, quotes, delivery, prices }: Needs): JobCreation {
  const { jobs, files, models, bases, datasets } = stores;
  const findModel = async (project: Project, id: string) =>
    id.startsWith("ft:") && id.length <= longestId ? models.get(project.id, id) : undefined;

  const requireBaseModel = async (project: Project, id: string): Promise<StartingBase> => {
    const own = await findModel(project, id);
    if (own?.kind === "base") return { id, architecture: "pretrained" };
    const base = await lookUpBase(bases, id);
    if (base?.architecture === "onnx") {
      const message = `'${id}' is an ONNX model, which is called as it is and cannot be tuned: name another base model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    if (base) return base;
    if (own) {
      const message = `Continuing from a fine-tuned model is not supported yet: '${id}'. Name a base model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    throw new ApiError("model_not_found", `No such model: '${id}'.`, { param: "model" });
  };

  /** A file, or a dataset version that is ready. */
  const requireMaterial = async (project: Project, id: string): Promise<Material> => {
    const param = "training_file";
    if (!isId("dataset_version", id)) {
      return { training: await requireFile(files, project, id, { param, purpose: "fine-tune" }) };
    }
    const version = await datasets.versions.get(project.id, id);
    if (version?.status === "ready") return { version };
    const message = version ? `Dataset version '${id}' is ${version.status}.` : `No such dataset version: '${id}'.`;
    throw new ApiError("invalid_value", message, { param });
  };

  const requireReferences = async (project: Project, request: CreateFineTuningJob, method: Method) => {
    const base = await requireBaseModel(project, request.model);
    await requireForMethod(method, { request, base, findModel: (id) => findModel(project, id) });
    const material = await requireMaterial(project, request.training_file);
    if (request.validation_file == null) return material;
    if (!("training" in material)) {
      const message = "A dataset version brings rows to validate on: leave 'validation_file' out.";
      throw new ApiError("invalid_value", message, { param: "validation_file" });
    }
    if (request.validation_file === request.training_file) {
      const message =
        "The validation file must differ from the training file: a model is not measured on what it learnt.";
      throw new ApiError("invalid_value", message, { param: "validation_file" });
    }
    const purpose = { param: "validation_file", purpose: "fine-tune" } as const;
    return { ...material, validation: await requireFile(files, project, request.validation_file, purpose) };
  };

  return {
    async create(project, request, attempt) {
      const method = resolveMethod(request);
      const material = await requireReferences(project, request, method);
      const id = idFor("job", attempt);
      const find = () => jobs.get(project.id, id);
      const earlier = await find();
      if (earlier) return earlier;
      const record = { ...newJob(project, id, request, method), material_bytes: bytesOf(material) };
      const event = { level: "info" as const, message: `Created fine-tuning job: ${id}` };
      const there = await createWithin(stores, prices.currency, {
        ...{ row: record, find, quote: () => quotes.priceOf(record) },
        create: (writes, reserved_nanos) =>
          jobs.create({ ...record, ...(reserved_nanos !== undefined && { reserved_nanos }) }, event, writes),
      });
      if (there) return there;
      await delivery.send(record);
      return (await find()) ?? record;
    },
    async quote(project, request) {
      const method = resolveMethod(request);
      const material = await requireReferences(project, request, method);
      const job = { ...newJob(project, "", request, method), material_bytes: bytesOf(material) };
      return quotes.of(project, job, material);
    },
  };
}

function newJob(
  project: Project,
  id: string,
  request: CreateFineTuningJob,
  { hyperparameters, ...method }: ResolvedMethod,
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
    method,
    metadata: request.metadata ?? null,
    integrations: null,
    error: null,
    receipt: null,
    project_id: project.id,
    suffix: request.suffix ?? null,
    lease: null,
    failures: 0,
    validated: false,
    latest_checkpoint: null,
  };
}
