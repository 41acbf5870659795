/** The sentence encoder's graph over weights as TensorFlow.js keeps them, beside the same computed number by number. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { useLite, useWeights } from "../../../../infra/models/recipes/useLite.ts";
import { normals, toOnnx } from "../../../../shared/engine/index.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { createSession } from "../../../../shared/engine/runtime/session.ts";
import { padBatch } from "../../../../shared/engine/training/textBatches.ts";

const stack = "module_apply_default/Encoder_en/KonaTransformer/Encode/";
const end = "/ConcatPartitions/concat";
const ofLayer = (layer: number, inputs: number): [string, number[]][] => {
  const path = `${stack}Layer_${layer}/TransformerLayer/`;
  const plain = `module/Encoder_en/KonaTransformer/Encode/Layer_${layer}/TransformerLayer/`;
  const stacked = `${stack}TransformerStack/Layer_${layer}/TransformerLayer/`;
  const norm = (at: string, width: number): [string, number[]][] => [
    [`${path}${at}/layer_norm/layer_norm_scale${end}`, [width]],
    [`${path}${at}/layer_norm/layer_norm_bias${end}`, [width]],
  ];
  const wide = inputs === 512;
  return [
    ...norm("layer_prepostprocess", inputs),
    [`${plain}MultiheadAttention/qkv_transform_single/kernel/part_0`, [1, 1, inputs, 3 * inputs]],
    [`${path}MultiheadAttention/qkv_transform_single/bias${end}`, [3 * inputs]],
    [`${plain}MultiheadAttention/output_transform_single/kernel/part_0`, [1, 1, inputs, 512]],
    [`${path}MultiheadAttention/output_transform_single/bias${end}`, [512]],
    ...(wide
      ? []
      : ([
          [`${path}dense/kernel${end}`, [256, 512]],
          [`${path}dense/bias${end}`, [512]],
        ] as [string, number[]][])),
    ...norm("FFN/layer_prepostprocess", 512),
    [`${stacked}FFN/conv1/Tensordot/Reshape_1`, [512, 1536]],
    [`${path}FFN/conv1/bias${end}`, [1536]],
    [`${stacked}FFN/conv2/Tensordot/Reshape_1`, [1536, 512]],
    [`${path}FFN/conv2/bias${end}`, [512]],
  ];
};
const weights: [string, number[]][] = [
  ["module/Embeddings_en", [8002, 256]],
  [`${stack}TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`, [1, 128]],
  ...ofLayer(0, 256),
  ...ofLayer(1, 512),
  ["module/Encoder_en/hidden_layers/tanh_layer_0/weights", [512, 512]],
  ["module/Encoder_en/hidden_layers/tanh_layer_0/bias", [512]],
];
const sizeOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

const values = new Map(
  weights.map(([name, shape], stream) => {
    const deviation = shape.length > 1 && sizeOf(shape) > 2000 ? 1 / Math.sqrt(shape.at(-2)!) : 0.2;
    const data = normals(sizeOf(shape), { seed: 3, stream, deviation: name.includes("Embeddings") ? 1 : deviation });
    return [name, name.endsWith(`scale${end}`) ? data.map((value) => 1 + value) : data] as const;
  }),
);
const found = (...parts: string[]) => [...values].find(([name]) => parts.every((part) => name.includes(part)))![1];

type Row = Float64Array;
const times = (x: Row, weight: Float32Array, bias: Float32Array): Row =>
  Float64Array.from(bias, (value, j) => x.reduce((sum, v, i) => sum + v * weight[i * bias.length + j]!, value));
const plus = (a: Row, b: Row) => a.map((value, i) => value + b[i]!);
function norm(x: Row, scale: Float32Array, bias: Float32Array): Row {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return x.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-6)) * scale[i]! + bias[i]!);
}

function attended(rows: Row[], width: number): Row[] {
  const head = width / 4;
  return rows.map((own) =>
    Float64Array.from({ length: width }, (_, i) => {
      const at = Math.floor(i / head) * head;
      const score = (other: Row) => {
        let sum = 0;
        for (let k = at; k < at + head; k++) sum += own[k]! * other[width + k]!;
        return Math.exp(sum / Math.sqrt(head));
      };
      const scores = rows.map(score);
      const total = scores.reduce((sum, value) => sum + value, 0);
      return rows.reduce((sum, other, row) => sum + (scores[row]! / total) * other[2 * width + i]!, 0);
    }),
  );
}

/** One text, written out as the paper's authors' graph has it. */
function plainly(ids: readonly number[]): Row {
  const rates = found("TimingSignal");
  let x = ids.map((id, place) =>
    Float64Array.from({ length: 256 }, (_, i) => {
      const angle = place * rates[i % 128]!;
      return 2 * found("Embeddings_en")[id * 256 + i]! + (i < 128 ? Math.sin(angle) : Math.cos(angle));
    }),
  );
  for (const layer of [0, 1]) {
    const of = (...parts: string[]) => found(`Layer_${layer}/`, ...parts);
    const first = (name: string) => of(`TransformerLayer/layer_prepostprocess`, name);
    const later = (name: string) => of("FFN/layer_prepostprocess", name);
    const width = x[0]!.length;
    const projected = x.map((row) =>
      times(norm(row, first("scale"), first("_bias")), of("qkv", "kernel"), of("qkv", "bias")),
    );
    const past = layer === 0 ? x.map((row) => times(row, of("/dense/kernel"), of("/dense/bias"))) : x;
    const seen = attended(projected, width).map((row, i) =>
      plus(past[i]!, times(row, of("output_transform", "kernel"), of("output_transform", "bias"))),
    );
    x = seen.map((row) => {
      const wide = times(norm(row, later("scale"), later("_bias")), of("conv1/Tensordot"), of("conv1/bias"));
      return plus(
        row,
        times(
          wide.map((v) => Math.max(v, 0)),
          of("conv2/Tensordot"),
          of("conv2/bias"),
        ),
      );
    });
  }
  const mean = x[0]!.map((_, i) => x.reduce((sum, row) => sum + row[i]! / x.length, 0));
  const vector = times(mean, found("tanh_layer_0/weights"), found("tanh_layer_0/bias")).map(Math.tanh);
  return vector.map((value) => value / Math.hypot(...vector));
}

describe("the sentence encoder's graph", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-use-"));
    const whole = Buffer.concat(
      [...values.values()].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
    );
    const cut = 1_000_003;
    await writeFile(join(folder, "shard1"), whole.subarray(0, cut));
    await writeFile(join(folder, "shard2"), whole.subarray(cut));
    const manifest = weights.map(([name, shape]) => ({ name, shape, dtype: "float32" }));
    const group = { paths: ["shard1", "shard2"], weights: manifest };
    await writeFile(join(folder, "model.json"), JSON.stringify({ weightsManifest: [group] }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("gives what its authors' formulas give, for texts of unlike length in one batch", async () => {
    const model = toOnnx({ outputs: { vector: useLite(textInputs()) }, initializers: await useWeights(folder) });
    const session = await createSession(model, { threads: 1 });
    const texts = [[17], [4000, 8001, 3, 3, 250]];
    const { data } = (await session.run(padBatch(texts.map((ids) => Int32Array.from(ids))))).vector!;
    await session.release();
    for (const [row, ids] of texts.entries()) {
      const expected = plainly(ids);
      const own = (data as Float32Array).subarray(row * 512, (row + 1) * 512);
      const worst = Math.max(...own.map((value, i) => Math.abs(value - expected[i]!)));
      assert.ok(worst < 1e-5, `text ${row} is off by ${worst}`);
    }
  });

  it("says which weight a package lacks", async () => {
    await writeFile(join(folder, "model.json"), JSON.stringify({ weightsManifest: [] }));
    await assert.rejects(useWeights(folder), /holds no weight "Embeddings_en"/);
  });
});
