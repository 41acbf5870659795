/**
 * LoRA adapters as PEFT stores them: `adapter_config.json` and `adapter_model.safetensors`.
 * Reference: https://github.com/huggingface/peft/blob/v0.17.1/src/peft/tuners/lora/config.py and
 * .../src/peft/utils/save_and_load.py
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "../graph.ts";
import { adapterRoot, type Lora, type LoraConfig } from "../layers/lora.ts";
import { CheckpointConfig, CheckpointError } from "./checkpointConfig.ts";
import { readIfPresent, readJsonObject } from "./checkpointFiles.ts";
import { fitWeights, type Weights } from "./fit.ts";
import { toFloat32 } from "./floats.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.ts";

const files = { config: "adapter_config.json", weights: "adapter_model.safetensors" } as const;

/** PEFT's name of what a model is for; it decides which class of transformers the adapter is put on. */
export type TaskType = "CAUSAL_LM" | "FEATURE_EXTRACTION" | "QUESTION_ANS" | "SEQ_CLS" | "TOKEN_CLS";

const taskTypes: Record<TaskType, true> = {
  CAUSAL_LM: true,
  FEATURE_EXTRACTION: true,
  QUESTION_ANS: true,
  SEQ_CLS: true,
  TOKEN_CLS: true,
};

export interface AdapterDescription {
  readonly lora: LoraConfig;
  /** The model the adapter belongs to. */
  readonly baseModel: string;
  readonly taskType: TaskType | undefined;
  /** Modules trained whole beside the adapter, such as `classifier`. */
  readonly savedModules: readonly string[];
}

export interface StoredAdapter extends AdapterDescription {
  /** float32, by PEFT's names. */
  readonly weights: Weights;
}

/** Throws CheckpointError naming the file, or the field that is malformed or not supported. */
export async function readAdapter(directory: string): Promise<StoredAdapter> {
  const description = describeAdapter(
    new CheckpointConfig(await readJsonObject(directory, files.config), files.config),
  );
  const bytes = await readIfPresent(directory, files.weights);
  if (!bytes) throw new CheckpointError(`${files.weights} is missing`);
  const { tensors } = readSafetensors(bytes);
  return { ...description, weights: new Map([...tensors].map(([name, tensor]) => [name, toFloat32(name, tensor)])) };
}

function describeAdapter(config: CheckpointConfig): AdapterDescription {
  config.choice("peft_type", { LORA: true });
  // What would change the numbers and is not computed here.
  for (const field of ["use_dora", "lora_bias", "use_qalora"]) config.supportOnly(field, false);
  for (const field of ["rank_pattern", "alpha_pattern"]) config.supportOnly(field, {});
  for (const field of ["layers_to_transform", "layers_pattern", "layer_replication"]) config.supportOnly(field, []);
  for (const field of ["target_parameters", "trainable_token_indices", "exclude_modules"]) {
    config.supportOnly(field, []);
  }
  config.supportOnly("bias", "none");
  return {
    lora: {
      rank: config.count("r"),
      alpha: config.number("lora_alpha"),
      dropout: config.number("lora_dropout", 0),
      targets: config.isText("target_modules")
        ? config.choice("target_modules", { "all-linear": true })
        : config.texts("target_modules"),
      rankStabilized: config.flag("use_rslora", false),
    },
    baseModel: config.text("base_model_name_or_path", ""),
    taskType: config.has("task_type") ? config.choice("task_type", taskTypes) : undefined,
    savedModules: config.texts("modules_to_save", []),
  };
}

export interface AdapterData {
  /** The adapter's weights, by PEFT's names. */
  readonly adapter: Record<string, Float32Array>;
  /** Those of the modules that were trained whole, by the model's names. */
  readonly saved: Record<string, Float32Array>;
}

/**
 * A stored adapter's data for a model built over `lora`; `savedParameters` are those of its saved modules. Throws
 * CheckpointError naming a tensor that is missing, of another shape, or of no use.
 */
export function adapterDataFor(stored: StoredAdapter, lora: Lora, savedParameters: readonly Node[]): AdapterData {
  const renamed = savedParameters.map((node) => ({ ...node, name: `${adapterRoot}.${node.name}` }));
  const data = fitWeights(stored.weights, [...lora.adapter.parameters, ...renamed]);
  const pick = (nodes: readonly Node[], root: string) =>
    Object.fromEntries(nodes.map(({ name }) => [name!, data[`${root}${name}`]!]));
  return { adapter: pick(lora.adapter.parameters, ""), saved: pick(savedParameters, `${adapterRoot}.`) };
}

/** Writes both files into the directory, which is made where there is none. Equal adapters give equal bytes. */
export async function writeAdapter(
  directory: string,
  { description, lora, data, savedParameters }: AdapterToWrite,
): Promise<void> {
  const stored = (nodes: readonly Node[], root: string, values: Record<string, Float32Array>) =>
    nodes.map(({ name, type }): [string, StoredTensor] => {
      return [`${root}${name}`, { shape: type.shape as readonly number[], data: values[name!]! }];
    });
  const tensors = [
    ...stored(lora.adapter.parameters, "", data.adapter),
    ...stored(savedParameters, `${adapterRoot}.`, data.saved),
  ];
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, files.config), `${JSON.stringify(configOf(description, lora), null, 2)}\n`);
  await writeFile(join(directory, files.weights), writeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
}

export interface AdapterToWrite {
  readonly description: Omit<AdapterDescription, "lora">;
  readonly lora: Lora;
  readonly data: AdapterData;
  readonly savedParameters: readonly Node[];
}

function configOf(description: Omit<AdapterDescription, "lora">, { config, placements }: Lora): object {
  return {
    base_model_name_or_path: description.baseModel,
    bias: "none",
    fan_in_fan_out: placements.some(({ stored }) => stored === "inputs-first"),
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    modules_to_save: description.savedModules.length > 0 ? description.savedModules : null,
    peft_type: "LORA",
    r: config.rank,
    target_modules: config.targets,
    task_type: description.taskType ?? null,
    use_rslora: config.rankStabilized ?? false,
  };
}
