/** Fine-tuned models as one file, run by onnxruntime alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as ort from "onnxruntime-node";
import {
  crossEntropy,
  initialize,
  initializeLora,
  input,
  mergeLora,
  type Tensor,
  toOnnx,
  WeightScope,
  withLora,
} from "../../../../shared/engine/index.ts";
import { exportModel } from "../../../../shared/engine/models/export.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import { dataOf, tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { mediumModel, texts } from "../quantization/mediumModel.ts";
import { numbers, tensor, withSession } from "../run.ts";
import { tinyBuilt, tinyFeeds, tinyModel } from "./tinyModels.ts";
import { train } from "./tinyTraining.ts";

const request = { head: "sequence", labels: 3 } as const;

/** A tiny llama classifier with an adapter that has learned. */
async function fineTuned() {
  const model = tinyModel("llama");
  const config = { rank: 2, alpha: 8, dropout: 0, targets: "all-linear" } as const;
  const lora = withLora(new WeightScope(), config, { body: model.prefix });
  const { output } = buildModel(model, request, { inputs: textInputs(), scope: lora.scope });
  const base = tinyBuilt("llama", request).weights;
  const loss = crossEntropy(output, input("labels", ["batch"], "int32"));
  const weights = { ...base, ...tensorsOf(lora.adapter.parameters, initializeLora(lora, 3)) };
  const feeds = { ...tinyFeeds, labels: tensor([2], Int32Array.of(2, 0)) };
  const trained = await train({ loss, parameters: lora.adapter.parameters, weights, feeds, steps: 8 });
  return { model, lora, output, base, adapter: trained.weights };
}

async function plainRuntime(file: Uint8Array, feeds: Record<string, Tensor>): Promise<number[]> {
  const session = await ort.InferenceSession.create(file);
  const values = session.inputNames.map((name) => {
    return [name, new ort.Tensor("int32", feeds[name]!.data as Int32Array, feeds[name]!.shape)] as const;
  });
  const results = await session.run(Object.fromEntries(values));
  await session.release();
  return Array.from(results.output!.data as Float32Array);
}

const rootMeanSquare = (values: readonly number[]) => Math.hypot(...values) / Math.sqrt(values.length);

/** The label of a row of three logits. */
function best(logits: readonly number[], row: number): number {
  const own = logits.slice(row * 3, row * 3 + 3);
  return own.indexOf(Math.max(...own));
}

describe("a fine-tuned model in one ONNX file", () => {
  it("answers in onnxruntime alone as base and adapter do here", async () => {
    const { model, lora, output, base, adapter } = await fineTuned();
    const merged = mergeLora(dataOf<Float32Array>(base), dataOf<Float32Array>(adapter), lora);
    const file = exportModel(model, merged, request);
    const together = toOnnx({ outputs: { output }, initializers: dataOf({ ...base, ...adapter }) });
    const expected = await withSession(together, async (session) => numbers((await session.run(tinyFeeds)).output));
    const actual = await plainRuntime(file, tinyFeeds);
    assert.equal(actual.length, 2 * 3);
    for (const [i, logit] of expected.entries()) assert.ok(Math.abs(logit - actual[i]!) < 1e-4, `logit ${i}`);
    const plain = await plainRuntime(exportModel(model, dataOf<Float32Array>(base), request), tinyFeeds);
    assert.ok(
      plain.some((logit, i) => Math.abs(logit - expected[i]!) > 1e-2),
      "the adapter has an effect",
    );
  });

  it("may keep its matrices as int8, a third as large, and answer about the same", async () => {
    const { model, build } = mediumModel();
    const scope = new WeightScope();
    build(scope);
    const weights = initialize(scope.parameters, 7, 0.1);
    const request = { head: "sequence", labels: 3 } as const;
    const [exact, int8] = [
      exportModel(model, weights, request),
      exportModel(model, weights, { ...request, precision: "int8" }),
    ];
    assert.ok(int8.length < exact.length / 3, `${int8.length} of ${exact.length} bytes`);
    const many = texts(200);
    const [expected, actual] = [await plainRuntime(exact, many), await plainRuntime(int8, many)];
    const same = [...Array(200).keys()].filter((row) => best(expected, row) === best(actual, row));
    assert.ok(same.length >= 190, `${same.length} of 200 labels agree`);
    const error = rootMeanSquare(expected.map((logit, i) => logit - actual[i]!)) / rootMeanSquare(expected);
    assert.ok(error < 0.05, `logits are off by ${error} of their size`);
    const kept = exportModel(model, weights, { ...request, precision: "int8", keep: () => true });
    assert.deepEqual(await plainRuntime(kept, many), expected);
  });

  it("takes pairs of texts where asked", async () => {
    const { model, weights } = tinyBuilt("bert", { head: "span" });
    const file = exportModel(model, dataOf<Float32Array>(weights), { head: "span", pairs: true });
    const types = (second: number) => tensor([2, 5], Int32Array.of(0, 0, 0, second, second, 0, 0, 0, 0, 0));
    const [apart, together] = [
      await plainRuntime(file, { ...tinyFeeds, token_type_ids: types(1) }),
      await plainRuntime(file, { ...tinyFeeds, token_type_ids: types(0) }),
    ];
    assert.notDeepEqual(apart, together);
  });

  it("is refused by the name of a weight that is missing", () => {
    const { model, weights } = tinyBuilt("gpt2", { head: "causal" });
    const { "transformer.ln_f.bias": _, ...rest } = dataOf<Float32Array>(weights);
    assert.throws(() => exportModel(model, rest, { head: "causal" }), /"transformer\.ln_f\.bias" is missing/);
  });
});
