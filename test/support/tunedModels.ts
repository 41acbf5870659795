/** Models over an imported base that nobody trained: adapters and heads of random numbers, each with answers of its own. */
import { join } from "node:path";
import { normals } from "../../shared/engine/index.ts";
import { adaptedGraph, adapterFor } from "../../shared/engine/models/adaptedBase.ts";
import { readPretrained } from "../../shared/engine/models/pretrained.ts";
import { type ArtifactConfig, writeArtifact } from "../../shared/engine/training/artifact.ts";
import { tensorsOf } from "../../shared/engine/weights/tensors.ts";
import type { BaseContent } from "../../shared/schemas/baseContent.ts";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import type { Objects } from "../../shared/stores/objects.ts";
import { objectKeys } from "../../shared/stores/objects.ts";

export interface RandomModels {
  /** Stores a model's file and makes its row, which is not written. */
  create(model: { project: string; id: string; labels: readonly string[]; seed: number }): Promise<ModelRecord>;
}

/** `directory` holds the base's files and takes the models'. */
export async function randomModels(objects: Objects, base: BaseContent, directory: string): Promise<RandomModels> {
  const pretrained = await readPretrained(directory);
  const adapter = adapterFor(pretrained.model);
  return {
    async create({ project, id, labels, seed }) {
      const { lora, head } = adaptedGraph(pretrained, labels.length, adapter);
      const parameters = [...lora.adapter.parameters, ...head];
      const data = parameters.map(({ name, type }, i) => {
        const length = (type.shape as number[]).reduce((product, side) => product * side, 1);
        return [name!, normals(length, { seed, stream: i, deviation: 0.3 })] as const;
      });
      const path = join(directory, `random-${project}-${id}-${seed}.safetensors`.replaceAll(":", "-"));
      const config: ArtifactConfig = {
        ...{ architecture: "pretrained", labels: [...labels], temperature: 1 },
        base: { digest: base.digest, adapter },
      };
      writeArtifact(path, config, tensorsOf(parameters, Object.fromEntries(data)));
      const object_key = objectKeys.model(project, id, String(seed));
      const { digest, bytes } = await objects.putFile(object_key, path);
      return {
        ...{ id, object: "model", created: 1, owned_by: "org", project_id: project, base_model: "tiny", job_id: "job" },
        ...{ base, object_key, digest, bytes },
      };
    },
  };
}
