/** Datasets as a client sees them: versions asked for, looked up and compared. Building them is the workers'. */
import type { Readable } from "node:stream";
import { ApiError, notFound } from "../../shared/errors.ts";
import type {
  CreateDatasetVersion,
  Dataset,
  DatasetDiff,
  DatasetRecord,
  DatasetSourceRef,
  DatasetVersionRecord,
} from "../../shared/schemas/dataset.ts";
import { datasetNamePattern } from "../../shared/schemas/dataset.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { compare } from "./datasetComparison.ts";
import type { Delivery } from "./delivery.ts";
import type { Paging } from "./fineTuningJobs.ts";
import { requireFile } from "./namedFile.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface DatasetService {
  createVersion(
    project: Project,
    name: string,
    request: CreateDatasetVersion,
    attempt: Attempt,
  ): Promise<DatasetVersionRecord>;
  list(project: Project): Promise<Page<Dataset>>;
  versions(project: Project, name: string, paging: Paging): Promise<Page<DatasetVersionRecord>>;
  version(project: Project, name: string, version: number): Promise<DatasetVersionRecord>;
  /** The same of one that can be read; 409 for any other. */
  requireReady(project: Project, name: string, version: number): Promise<DatasetVersionRecord & { object_key: string }>;
  /** JSONL, a row a line. */
  content(project: Project, name: string, version: number): Promise<Readable>;
  /** What became of the rows from `against`, the version before unless told otherwise. */
  diff(project: Project, name: string, version: number, against?: number): Promise<DatasetDiff>;
}

const usualShare = 0.1;

export function createDatasetService(
  { datasets, files, objects, labelQueues }: Pick<Stores, "datasets" | "files" | "objects" | "labelQueues">,
  delivery: Delivery,
): DatasetService {
  const checks = sourceChecks({ datasets, files, labelQueues });
  const require = async (project: Project, name: string): Promise<DatasetRecord> => {
    const found = await datasets.get(project.id, name);
    if (!found) throw notFound("dataset", name);
    return found;
  };
  const version: DatasetService["version"] = async (project, name, number) => {
    await require(project, name);
    const found = await datasets.version(project.id, name, number);
    if (!found) throw notFound(`version of dataset '${name}'`, String(number));
    return found;
  };
  const requireReady: DatasetService["requireReady"] = async (project, name, number) => {
    const found = await version(project, name, number);
    if (found.object_key) return { ...found, object_key: found.object_key };
    const message = `Version ${number} of dataset '${name}' is ${found.status}.`;
    throw new ApiError("invalid_state", message, { param: "version" });
  };
  const content: DatasetService["content"] = async (project, name, number) => {
    const { object_key } = await requireReady(project, name, number);
    const body = await objects.get(object_key);
    if (!body) throw new Error(`Object ${object_key} is missing`);
    return body;
  };

  return {
    async createVersion(project, name, request, attempt) {
      if (!datasetNamePattern.test(name)) {
        const message = "A dataset's name has 1 to 64 of a to z, digits, dots, hyphens and underscores.";
        throw new ApiError("invalid_value", message, { param: "name" });
      }
      for (const [i, source] of request.sources.entries()) {
        await checks[source.type](project, source as never, `sources[${i}]`);
      }
      const id = idFor("dataset_version", attempt);
      for (;;) {
        const dataset = await datasets.get(project.id, name);
        const record = newVersion(project, id, { ...request, name }, dataset);
        if (await datasets.add(record, dataset)) {
          await delivery.send(record);
          return record;
        }
        const earlier = await datasets.versions.get(project.id, id);
        if (earlier) return earlier;
        // Whoever loses the race for the number takes the next one.
      }
    },
    list: async (project) => toPage(await datasets.list(project.id), Number.POSITIVE_INFINITY),
    async versions(project, name, { limit, after }) {
      await require(project, name);
      const found = await datasets.versionsOf(project.id, name, { limit: limit + 1, ...(after && { after }) });
      return toPage(found, limit);
    },
    version,
    requireReady,
    content,
    async diff(project, name, number, against) {
      const later = await requireReady(project, name, number);
      const from = against ?? later.parent;
      const earlier = from === null ? undefined : await requireReady(project, name, from);
      return {
        object: "dataset.diff",
        dataset: name,
        from: from ?? 0,
        to: number,
        ...(await compare(objects, earlier, later)),
      };
    },
  };
}

type Checks = Record<DatasetSourceRef["type"], (project: Project, source: never, param: string) => Promise<void>>;

/** What must be there of a source before a version is asked for; each throws ApiError naming what is not. */
function sourceChecks({ datasets, files, labelQueues }: Pick<Stores, "datasets" | "files" | "labelQueues">): Checks {
  return {
    async file(project, { file_id }: DatasetSourceRef & { type: "file" }, param) {
      await requireFile(files, project, file_id, { param: `${param}.file_id`, purpose: "fine-tune" });
    },
    // None that match are rows of none: that is known once they are looked at.
    async inferences() {},
    async labels(project, { queue_id }: DatasetSourceRef & { type: "labels" }, param) {
      const found = await labelQueues.get(project.id, queue_id);
      if (found?.status === "ready") return;
      const state = found ? `is ${found.status}` : "is not there";
      throw new ApiError("invalid_value", `The label queue '${queue_id}' ${state}.`, { param: `${param}.queue_id` });
    },
    async dataset(project, source: DatasetSourceRef & { type: "dataset" }, param) {
      const found = await datasets.version(project.id, source.dataset, source.version);
      if (found?.status === "ready") return;
      const state = found ? `is ${found.status}` : "is not there";
      const message = `Version ${source.version} of dataset '${source.dataset}' ${state}.`;
      throw new ApiError("invalid_value", message, { param });
    },
  };
}

function newVersion(
  project: Project,
  id: string,
  { name: dataset, sources, splits }: CreateDatasetVersion & { name: string },
  earlier: DatasetRecord | undefined,
): DatasetVersionRecord {
  return {
    id,
    object: "dataset.version",
    dataset,
    version: (earlier?.latest_version ?? 0) + 1,
    status: "building",
    sources,
    splits: { validation: splits?.validation ?? usualShare, test: splits?.test ?? usualShare },
    parent: null,
    rows: null,
    labels: null,
    report: null,
    digest: null,
    error: null,
    created_at: Math.floor(Date.now() / 1000),
    finished_at: null,
    project_id: project.id,
    lease: null,
    failures: 0,
    object_key: null,
  };
}
