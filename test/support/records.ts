/** Rows and objects that a worker would have made, for tests of what the API does with them. */
import { Readable } from "node:stream";
import { fineTunedModelId, newId } from "../../shared/ids.ts";
import type { CheckpointRecord } from "../../shared/schemas/checkpoint.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
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
