/** Rows and objects that a worker would have made, for tests of what the API does with them. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { type DatasetRow, rowId } from "../../shared/datasets/row.ts";
import { fineTunedModelId, newId } from "../../shared/ids.ts";
import { unbuilt } from "../../shared/schemas/built.ts";
import type { CheckpointRecord } from "../../shared/schemas/checkpoint.ts";
import type { DatasetVersionRecord } from "../../shared/schemas/dataset.ts";
import type { LabelItemRecord } from "../../shared/schemas/label.ts";
import type { LabelQueueRecord } from "../../shared/schemas/labelQueue.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import type { NewInference } from "../../shared/stores/inferences.ts";
import { itemId } from "../../shared/stores/labelItems.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Tenant } from "./deployment.ts";

const now = () => Math.floor(Date.now() / 1000);

export async function addModel(
  stores: Stores,
  { project }: Tenant,
  changes: Partial<ModelRecord> = {},
): Promise<ModelRecord> {
  const job_id = newId("job");
  const object_key = objectKeys.model(project.id, job_id, newId("attempt"));
  const stored = await stores.objects.put(object_key, Readable.from([Buffer.from("weights")]));
  const model: ModelRecord = {
    id: fineTunedModelId("millrace-ngram", project.organization_name, null, job_id),
    object: "model",
    created: now(),
    owned_by: project.organization_id,
    project_id: project.id,
    base_model: "millrace-ngram",
    job_id,
    object_key,
    ...stored,
    ...changes,
  };
  await stores.models.create(model);
  return model;
}

export async function addCheckpoint(stores: Stores, { project }: Tenant, job: string, step: number) {
  const record: CheckpointRecord = {
    id: newId("checkpoint"),
    object: "fine_tuning.job.checkpoint",
    created_at: now(),
    fine_tuned_model_checkpoint: `ft:millrace-ngram:${project.organization_name}::0h2k5b7x:ckpt-step-${step}`,
    step_number: step,
    fine_tuning_job_id: job,
    metrics: { step, train_loss: 1 / step },
    project_id: project.id,
    object_key: objectKeys.checkpoint(project.id, job, step, newId("attempt")),
    digest: "0".repeat(64),
  };
  await stores.checkpoints.create(record);
  return record;
}

/** A row of an ONNX model, from x FP32 of any length to y: enough to be listed, and called on a host that is not real. */
export async function addOnnx(stores: Stores, id: string): Promise<void> {
  const tensor = (name: string) => ({ name, datatype: "FP32" as const, shape: [-1] });
  const model = { id, object: "model" as const, created: 1795305600, owned_by: "millrace" };
  const content = { digest: "0".repeat(64), files: [], inputs: [tensor("x")], outputs: [tensor("y")] };
  await stores.bases.create({ ...model, architecture: "onnx", ...content });
}

/** A dataset's first version, as a worker leaves it: two rows to learn from and one to test by. */
export async function buildVersion(
  stores: Stores,
  { project }: Tenant,
  dataset: string,
): Promise<DatasetVersionRecord> {
  const rows = (["train", "train", "test"] as const).map((split, i): DatasetRow => {
    const text = `text ${i}`;
    return { id: rowId(text), text, label: i ? "b" : "a", split, subjects: [], origins: [] };
  });
  const content = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const digest = createHash("sha256").update(content).digest("hex");
  const object_key = objectKeys.dataset(project.id, digest);
  await stores.objects.put(object_key, Readable.from([content]));
  const version: DatasetVersionRecord = {
    id: newId("dataset_version"),
    object: "dataset.version",
    dataset,
    version: 1,
    status: "ready",
    sources: [],
    splits: { validation: 0.1, test: 0.1 },
    parent: null,
    rows: { train: 2, validation: 0, test: 1 },
    labels: { a: 1, b: 2 },
    report: { read: 3, repeats: 0, relabelled: 0, bridging: 0 },
    digest,
    error: null,
    created_at: now(),
    finished_at: now(),
    project_id: project.id,
    lease: null,
    failures: 0,
    object_key,
  };
  await stores.datasets.add(version, undefined);
  return version;
}

/** A label queue of three rows, as a worker leaves it. */
export async function addLabelQueue(stores: Stores, { project }: Tenant): Promise<LabelQueueRecord> {
  const source = { type: "dataset" as const, dataset: "intents", version: 1 };
  const queue: LabelQueueRecord = {
    ...{ id: newId("label_queue"), object: "label_queue", ...unbuilt(project.id), status: "ready" },
    ...{ source, strategy: "diversity", model: null, labels: null, size: 3, overlap: 10 },
    ...{ candidates: 3, items: 3, closed_below: 0 },
  };
  const items = [0, 1, 2].map((place): LabelItemRecord => {
    const text = `text ${place}`;
    return {
      ...{ id: itemId(queue.id, place), queue_id: queue.id, project_id: project.id, place, text, given: "a" },
      origin: { ...source, row: rowId(text), line: place + 1 },
      ...{ score: null, suggestions: [], subjects: [], overlap: 10, state: "open" },
      ...{ answers: {}, leases: {}, revision: 0 },
    };
  });
  await stores.labelItems.putAll(items);
  await stores.labelQueues.create(queue);
  return queue;
}

/** As if a model had answered. */
export async function addInference(
  stores: Stores,
  { project }: Tenant,
  changes: Partial<NewInference> = {},
): Promise<NewInference> {
  const inference: NewInference = {
    id: newId("request"),
    project_id: project.id,
    endpoint: "/v1/decisions",
    model: "ft:tiny",
    ...{ function: null, variant: null, episode_id: null },
    digest: null,
    is_complete: true,
    is_stored: false,
    metadata: null,
    latency_ms: 1,
    created_at: now(),
    expires_at: null,
    ...changes,
  };
  await stores.inferences.put(inference);
  return inference;
}

export async function addEpisode(stores: Stores, { project }: Tenant): Promise<string> {
  const id = newId("episode");
  await stores.episodes.create({ id, project_id: project.id, created_at: now(), expires_at: null });
  return id;
}
