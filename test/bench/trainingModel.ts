/** An encoder of the size of MiniLM-L6, as a training step with random weights. */
import {
  adamw,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  type Dim,
  elementCount,
  initialize,
  initializeLora,
  input,
  type Node,
  normals,
  type Tensor,
  type TrainingStep,
  topologicalOrder,
  trainingStep,
  WeightScope,
  withLora,
} from "../../shared/engine/index.ts";
import { modelOf } from "../../shared/engine/models/families.ts";
import { textInputs } from "../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../shared/engine/models/pretrained.ts";
import { headParameters } from "../../shared/engine/models/trainable.ts";
import { joinNarrowProducts } from "../../shared/engine/narrowProducts.ts";
import { CheckpointConfig } from "../../shared/engine/weights/checkpointConfig.ts";

export const methods = ["lora", "full"] as const;
/** What is trained: adapters of query and value, rank 8, and the head; or everything. */
export type Method = (typeof methods)[number];

const labels = 77;
/** Of MiniLM-L6's size. */
export const config = {
  model_type: "bert",
  hidden_size: 384,
  num_attention_heads: 12,
  intermediate_size: 1536,
  num_hidden_layers: 6,
  vocab_size: 30_522,
  max_position_embeddings: 512,
  type_vocab_size: 2,
};

export interface Workload {
  readonly step: TrainingStep;
  /** Data of the weights that do not move. */
  readonly frozen: Record<string, Float32Array>;
  /** Carried tensors before the first step. */
  readonly first: Record<string, Tensor>;
}

export function workload(method: Method, { layers = config.num_hidden_layers } = {}): Workload {
  const model = modelOf(new CheckpointConfig({ ...config, num_hidden_layers: layers }));
  const base = new WeightScope();
  const adapted = { rank: 8, alpha: 16, dropout: 0, targets: ["query", "value"] };
  const lora = method === "lora" ? withLora(base, adapted, { body: model.prefix }) : undefined;
  const request = { head: "sequence", labels } as const;
  const { output } = buildModel(model, request, { inputs: textInputs(), scope: lora?.scope ?? base });
  const parameters = lora ? [...lora.adapter.parameters, ...headParameters(model, base.parameters)] : base.parameters;
  const step = trainingStep({
    loss: joinNarrowProducts(crossEntropy(output, input("labels", ["batch"], "int32"))),
    parameters,
    optimizer: chain(clipByGlobalNorm(1), adamw({ learningRate: input("learning_rate", []), weightDecay: 0.01 })),
  });
  const data = { ...quickWeights(base.parameters), ...(lora ? initializeLora(lora, 2) : {}) };
  const moved = parameters.map(({ name, type }): [string, Tensor] => {
    return [name!, { shape: type.shape as number[], data: data[name!]! }];
  });
  const names = new Set(moved.map(([name]) => name));
  const frozen = Object.fromEntries(Object.entries(data).filter(([name]) => !names.has(name)));
  return { step, frozen, first: { ...step.initialState, ...Object.fromEntries(moved) } };
}

const noise = normals(2 ** 14, { seed: 1, deviation: 0.02 });

/** First values, those of large matrices one block of random numbers repeated: their time is all that is asked. */
function quickWeights(parameters: readonly Node[]): Record<string, Float32Array> {
  const isLarge = ({ type }: Node) => elementCount(type.shape) > noise.length;
  const large = parameters.filter(isLarge).map(({ name, type }) => {
    const data = new Float32Array(elementCount(type.shape));
    for (let at = 0; at < data.length; at += noise.length) data.set(noise.subarray(0, data.length - at), at);
    return [name!, data] as const;
  });
  const small = parameters.filter((node) => !isLarge(node));
  return { ...initialize(small, 1), ...Object.fromEntries(large) };
}

/** Texts without padding. */
export function batchOf(batch: number, sequence: number): Record<string, Tensor> {
  const tokens = batch * sequence;
  const shape = [batch, sequence];
  const ids = Int32Array.from({ length: tokens }, (_, at) => (at * 7919) % config.vocab_size);
  return {
    input_ids: { shape, data: ids },
    attention_mask: { shape, data: new Int32Array(tokens).fill(1) },
    labels: { shape: [batch], data: Int32Array.from({ length: batch }, (_, row) => (row * 31) % labels) },
    learning_rate: { shape: [], data: Float32Array.of(1e-4) },
  };
}

/** Floating-point operations of every matrix product of a step, for sizes of its symbolic dimensions. */
export function matmulOperations({ outputs }: TrainingStep, sizes: Readonly<Record<string, number>>): number {
  const sizeOf = (dim: Dim) =>
    String(dim)
      .split("*")
      .reduce((total, factor) => total * (sizes[factor] ?? Number(factor)), 1);
  const products = topologicalOrder(Object.values(outputs)).filter(({ op }) => op === "MatMul");
  return products.reduce((sum, { inputs: [a], type }: Node) => {
    return sum + 2 * sizeOf(a!.type.shape.at(-1)!) * type.shape.reduce<number>((total, dim) => total * sizeOf(dim), 1);
  }, 0);
}
