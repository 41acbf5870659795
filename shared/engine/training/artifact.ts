/** A trained model as one safetensors file: weights, and in its metadata all that serving must know. */
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { Tensor } from "../dataTypes.ts";
import type { LoraConfig } from "../layers/lora.ts";
import type { ArchitectureName } from "../models/architectures.ts";
import type { TableConfig } from "../models/tabularModels.ts";
import type { OutOfScopeRule } from "../race/outOfScope.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../weights/safetensors.ts";
import type { Threshold } from "./thresholds.ts";

export interface ArtifactConfig {
  architecture: ArchitectureName;
  labels: string[];
  /** Divides the logits before the softmax. */
  temperature: number;
  /** Absent in models from before there were any. */
  thresholds?: Threshold[];
  /** Of the imported base it belongs to: the digest, as `TrainingRequest` had it, and the adapter. */
  base?: { digest: string; adapter: LoraConfig };
  /** Of a model of tables. */
  table?: TableConfig;
  /** How the logit of the label that is none of the others is made, where there is such a label. */
  outOfScope?: OutOfScopeRule;
}

export interface Artifact {
  config: ArtifactConfig;
  weights: ReadonlyMap<string, Tensor>;
}

export class ArtifactError extends Error {
  override name = "ArtifactError";
}

export function writeArtifact(
  path: string,
  config: ArtifactConfig,
  weights: Readonly<Record<string, StoredTensor>>,
): void {
  writeFileSync(path, writeSafetensors(weights, { millrace: JSON.stringify(config) }));
}

/** With a digest (SHA-256, hex) only for the file it is of. Throws ArtifactError for a file that holds no such model. */
export function readArtifact(path: string, digest?: string): Artifact {
  const bytes = readFileSync(path);
  if (digest !== undefined && hash("sha256", bytes, "hex") !== digest) {
    throw new ArtifactError(`${path} is not the model with digest ${digest}`);
  }
  const { tensors, metadata } = readSafetensors(bytes);
  if (!metadata.millrace) throw new ArtifactError(`${path} is not a Millrace model`);
  return { config: JSON.parse(metadata.millrace) as ArtifactConfig, weights: tensors };
}
