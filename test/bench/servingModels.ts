/** Models tuned from one base, as many as are asked for and no two alike, in the stores of a local cloud. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importBase } from "../../infra/models/importBase.ts";
import { normals, type Tensor } from "../../shared/engine/index.ts";
import { initializeLora, mergeLora } from "../../shared/engine/layers/lora.ts";
import { type AdaptedGraph, adaptedGraph, adapterFor, frozenData } from "../../shared/engine/models/adaptedBase.ts";
import { type Pretrained, readPretrained } from "../../shared/engine/models/pretrained.ts";
import { writeArtifact } from "../../shared/engine/training/artifact.ts";
import { tensorsOf } from "../../shared/engine/weights/tensors.ts";
import { fineTunedModelId, newId } from "../../shared/ids.ts";
import type { BaseRecord } from "../../shared/schemas/base.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { createTenant, type Tenant } from "../support/deployment.ts";
import type { LearnedBase } from "./servingBase.ts";

/** One model of one project. */
export interface Tuned {
  readonly record: ModelRecord;
  readonly tenant: Tenant;
}

/** A base with what its models are made of. */
export interface Tuning {
  readonly base: LearnedBase;
  readonly labels: readonly string[];
  readonly pretrained: Pretrained;
  readonly graph: AdaptedGraph;
}

export async function openTuning(base: LearnedBase, labels: readonly string[]): Promise<Tuning> {
  const pretrained = await readPretrained(base.directory);
  const graph = adaptedGraph(pretrained, labels.length, adapterFor(pretrained.model));
  return { base, labels, pretrained, graph };
}

/** Enough to move a model's weights by a tenth, and some of its answers. */
const deviation = 0.02;

/** An adapter's weights by PEFT's names: both factors are random, so that it changes what the base says. */
function adapterData({ graph: { lora } }: Tuning, seed: number): Record<string, Float32Array> {
  const data = initializeLora(lora, seed);
  const isB = (name: string) => name.endsWith("lora_B.weight");
  const moved = Object.keys(data).filter(isB);
  return {
    ...data,
    ...Object.fromEntries(
      moved.map((name, i) => [name, normals(data[name]!.length, { seed, stream: 1000 + i, deviation })]),
    ),
  };
}

/** The whole weights of a model, adapter merged; the head as `classifier.*`. */
export function mergedWeights(tuning: Tuning, seed: number): Record<string, Float32Array> {
  const { base, pretrained, graph } = tuning;
  const merged = mergeLora(frozenData(pretrained, graph), adapterData(tuning, seed), graph.lora);
  const head = ({ data }: Tensor) => data as Float32Array;
  return { ...merged, "classifier.weight": head(base.head.weight), "classifier.bias": head(base.head.bias) };
}

export async function importLearned(stores: Stores, { directory, files }: LearnedBase): Promise<BaseRecord> {
  return (await importBase(stores, { id: "bench-minilm", directory, files, replace: false })).record;
}

/** Models of the seeds `from` and following, each in a project of its own. */
export async function addModels(
  stores: Stores,
  base: BaseRecord,
  tuning: Tuning,
  { from, count }: { from: number; count: number },
): Promise<Tuned[]> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  const all: Tuned[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const path = join(directory, "model.safetensors");
    writeModel(path, base, tuning, seed);
    all.push(await addModel(stores, base, path, await createTenant(stores, `bench-${seed}`)));
  }
  await rm(directory, { recursive: true });
  return all;
}

function writeModel(path: string, { digest }: BaseRecord, tuning: Tuning, seed: number): void {
  const { base, labels, graph } = tuning;
  const { adapter, config } = graph.lora;
  const tensors = tensorsOf(adapter.parameters, adapterData(tuning, seed));
  writeArtifact(
    path,
    { architecture: "pretrained", labels: [...labels], temperature: 1, base: { digest, adapter: config } },
    { ...tensors, "classifier.weight": base.head.weight, "classifier.bias": base.head.bias },
  );
}

async function addModel(stores: Stores, base: BaseRecord, path: string, tenant: Tenant): Promise<Tuned> {
  const { project } = tenant;
  const job_id = newId("job");
  const object_key = objectKeys.model(project.id, job_id, newId("attempt"));
  const record: ModelRecord = {
    id: fineTunedModelId(base.id, project.organization_name, null, job_id),
    object: "model",
    created: Math.floor(Date.now() / 1000),
    owned_by: project.organization_id,
    project_id: project.id,
    base_model: base.id,
    base: { digest: base.digest, files: base.files },
    job_id,
    object_key,
    ...(await stores.objects.putFile(object_key, path)),
  };
  if (!(await stores.models.create(record))) throw new Error(`there is a model ${record.id} already`);
  return { record, tenant };
}

/** config.json of the base, labels included. */
export async function configOf({ directory }: LearnedBase): Promise<object> {
  return JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
}
