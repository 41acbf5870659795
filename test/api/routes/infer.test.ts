/** POST /v1/models/{id}/infer: any ONNX model, called by what it declares, on a real model host. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { importOnnx } from "../../../infra/models/importBase.ts";
import { openOnnx } from "../../../infra/models/onnxModel.ts";
import { readWav } from "../../../shared/engine/audio/wav.ts";
import {
  input,
  add as plus,
  readSafetensors,
  squeezeNetFeatures,
  squeezeNetFromKeras,
  type TypedArray,
  toOnnx,
  unsqueeze,
  WeightScope,
} from "../../../shared/engine/index.ts";
import type { InferInput, InferResponse } from "../../../shared/schemas/infer.ts";
import { datatypes } from "../../../shared/schemas/tensor.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { withDirectory } from "../../shared/engine/models/tinyModels.ts";
import { numbers, randomValues, tensor, withSession } from "../../shared/engine/run.ts";
import { refused } from "../../support/contract.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { doublerOnnx } from "../../support/doublerOnnx.ts";
import { sharedFile } from "../../support/sharedFiles.ts";

let deployment: Deployment;
// The host reads from the deployment's own bucket, which comes into being with it.
const host = {} as ModelHost;

/** Gives back what it takes, one axis deeper, in each of the element types. */
function echo(): Uint8Array {
  const types = Object.entries(datatypes);
  return toOnnx({
    outputs: Object.fromEntries(types.map(([name, type]) => [`${name}:out`, unsqueeze(input(name, ["n"], type), [0])])),
  });
}

/** a + b, of one length by the model's own account. */
const sum = () => toOnnx({ outputs: { sum: plus(input("a", ["n"]), input("b", ["n"])) } });

async function add(id: string, path: string): Promise<void> {
  const { directory, files, signature } = await openOnnx(path, id);
  await importOnnx(deployment.stores, { id, directory, files, replace: false }, signature);
}

before(async () => {
  deployment = await deploy({ host });
  Object.assign(host, createModelHost(deployment.stores.objects, { threads: 1 }));
  await withDirectory({}, async (folder) => {
    for (const [id, model] of Object.entries({ doubler: doublerOnnx(), echo: echo(), sum: sum() })) {
      const path = join(folder, `${id}.onnx`);
      await writeFile(path, model);
      await add(id, path);
    }
  });
});
after(async () => {
  await deployment.close();
  await host.close();
});

function post(id: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return deployment.fetch(`/v1/models/${id}/infer`, { method: "POST", headers, body: JSON.stringify(body) });
}

async function answer(id: string, body: object): Promise<InferResponse> {
  const response = await post(id, body);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

const x = { name: "x", shape: [1, 2], datatype: "FP32", data: [1, 2.5] };
const count = { name: "count", shape: [3], datatype: "INT64", data: [1, -2, 2 ** 52] };

describe("an ONNX model", () => {
  it("answers by name, with its digest, all outputs or those asked for", async () => {
    const response = await post("doubler", { id: "call 7", inputs: [count, x] });
    const record = (await deployment.stores.bases.get("doubler"))!;
    assert.equal(response.headers.get("x-millrace-model-digest"), record.digest);
    assert.deepEqual(await response.json(), {
      model_name: "doubler",
      model_version: record.digest,
      id: "call 7",
      outputs: [
        { name: "twice", shape: [1, 2], datatype: "FP32", data: [2, 5] },
        { name: "next", shape: [3], datatype: "INT64", data: [2, -1, 2 ** 52 + 1] },
      ],
    });
    const some = await answer("doubler", { inputs: [x, count], outputs: [{ name: "next" }] });
    assert.deepEqual(
      some.outputs.map(({ name }) => name),
      ["next"],
    );
  });

  it("takes elements flat, in lists as the shape says, or as bytes", async () => {
    const rows = [
      [1, 2],
      [3, 4],
    ];
    const data_base64 = Buffer.from(Float32Array.from(rows.flat()).buffer).toString("base64");
    for (const data of [{ data: rows }, { data: rows.flat() }, { data_base64 }]) {
      const input = { name: "x", shape: [2, 2], datatype: "FP32", ...data };
      const { outputs } = await answer("doubler", { inputs: [input, count] });
      assert.deepEqual(outputs[0]!.data, [2, 4, 6, 8]);
    }
    const many = { ...x, shape: [100_000, 2], data: Array(200_000).fill(3) };
    const [twice] = (await answer("doubler", { inputs: [many, count] })).outputs;
    assert.ok(twice!.data.length === 200_000 && twice!.data.every((value) => value === 6));
    const none = await answer("doubler", { inputs: [{ ...x, shape: [0, 2], data: [] }, count] });
    assert.deepEqual([none.outputs[0]!.shape, none.outputs[0]!.data], [[0, 2], []]);
  });

  it("has every element type that there is, and says what JSON has no number for", async () => {
    const elements: Record<string, unknown[]> = {
      BOOL: [true, false],
      UINT8: [0, 255],
      UINT32: [0, 2 ** 32 - 1],
      INT8: [-128, 127],
      INT32: [-(2 ** 31), 2 ** 31 - 1],
      INT64: [-1, 2 ** 53 - 1],
      FP16: [0.5, -65504],
      FP32: [0.25, -1],
      FP64: [0.1, 1e300],
    };
    const inputs = Object.entries(elements).map(([name, data]) => ({ name, datatype: name, shape: [2], data }));
    const { outputs } = await answer("echo", { inputs });
    assert.deepEqual(Object.fromEntries(outputs.map(({ datatype, data }) => [datatype, data])), elements);
    assert.ok(outputs.every(({ shape }) => `${shape}` === "1,2"));
    const bytes = { INT64: BigInt64Array.of(2n ** 53n, 1n), FP32: Float32Array.of(Number.NaN, -Infinity) };
    const odd = inputs.map((each) => {
      const { data, ...input } = each;
      const found = bytes[each.name as keyof typeof bytes];
      return found ? { ...input, data_base64: Buffer.from(found.buffer).toString("base64") } : each;
    });
    const found = (await answer("echo", { inputs: odd })).outputs.filter(({ datatype }) => datatype in bytes);
    assert.deepEqual(
      found.map(({ data }) => data),
      [
        ["9007199254740992", 1],
        [null, null],
      ],
    );
  });

  it("is listed at once, and refuses to be tuned or asked as a model of texts", async () => {
    const client = deployment.client();
    const ids = (await client.models.list()).data.map(({ id }) => id);
    assert.ok(ids.includes("doubler"));
    assert.equal((await client.models.retrieve("doubler")).id, "doubler");
    const file = await client.files.create({ purpose: "fine-tune", file: new File(["{}\n"], "a.jsonl") });
    const calls = {
      tuning: () => client.fineTuning.jobs.create({ model: "doubler", training_file: file.id }),
      embeddings: () => client.embeddings.create({ model: "doubler", input: "x" }),
      chat: () => client.chat.completions.create({ model: "doubler", messages: [{ role: "user", content: "x" }] }),
    };
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, { status: 400, param: "model", message: /'doubler'/ }, name);
    }
  });
});

describe("a call that does not fit", () => {
  const broken = (change: object, rest: object[] = [count]) => ({ inputs: [{ ...x, ...change }, ...rest] });
  const cases: [title: string, body: object, param: string, message: RegExp][] = [
    ["an input it has not", broken({ name: "z" }), "inputs[0].name", /no input of the model: it has 'x', 'count'/],
    ["an input twice", broken({}, [x, count]), "inputs[1].name", /repeats 'x'/],
    ["an input missing", { inputs: [x] }, "inputs", /lacks 'count', INT64 of shape \[3\]/],
    ["another datatype", broken({ datatype: "FP64" }), "inputs[0].datatype", /is FP64; the model takes FP32/],
    ["another size", broken({}, [{ ...count, shape: [2] }]), "inputs[1].shape", /is \[2\]; the model takes \[3\]/],
    ["another rank", broken({ shape: [2] }), "inputs[0].shape", /the model takes \[batch, 2\]/],
    ["too few elements", broken({ shape: [2, 2] }), "inputs[0].data", /holds 2 elements; the shape takes 4/],
    ["an immense shape", broken({ shape: [2 ** 31 - 1, 2] }), "inputs[0].data", /the shape takes 4294967294/],
    ["ragged lists", broken({ shape: [2, 2], data: [[1, 2], [3]] }), "inputs[0].data[1]", /a list of 2/],
    ["a wrong element", broken({ data: [1, "2"] }), "inputs[0].data[1]", /no FP32/],
    ["a fraction as integer", broken({}, [{ ...count, data: [1, 2, 0.5] }]), "inputs[1].data[2]", /no INT64/],
    ["no elements", broken({ data: undefined }), "inputs[0].data", /must be given/],
    ["elements twice", broken({ data_base64: "" }), "inputs[0].data", /and not both/],
    ["too few bytes", broken({ data: undefined, data_base64: "AAAA" }), "inputs[0].data_base64", /holds 3 bytes/],
    ["an output it has not", { inputs: [x, count], outputs: [{ name: "y" }] }, "outputs[0].name", /it has 'twice'/],
    ["an unknown type", broken({ datatype: "BYTES" }), "inputs[0].datatype", /./],
    ["no inputs at all", {}, "inputs", /./],
  ];
  for (const [title, body, param, message] of cases) {
    it(`names the field at fault: ${title}`, async () => {
      const { message: said } = await refused(await post("doubler", body), { param });
      assert.match(said, message);
    });
  }

  it("is told what the model itself refuses", async () => {
    const inputs = [2, 3].map((size, i) => ({
      name: "ab"[i],
      shape: [size],
      datatype: "FP32",
      data: Array(size).fill(1),
    }));
    const { message } = await refused(await post("sum", { inputs }), { param: "inputs" });
    assert.match(message, /^The model refuses these inputs: /);
    assert.doesNotMatch(message, /\n| at \//);
  });

  it("is 404 for a model that is not there, and 400 by name for one that is no ONNX model", async () => {
    await refused(await post("nothing", { inputs: [] }), { status: 404, param: "model" });
    await refused(await post("millrace-ngram", { inputs: [] }), { param: "model" });
  });
});

describe("models of others' making", () => {
  const silero = sharedFile("models/silero_vad/silero_vad.onnx");
  const speech = sharedFile("data/fsdd/test.tar.gz");
  const squeezeNet = sharedFile("models/squeezenet1_1_imagenet/model.onnx");
  const weights = sharedFile("models/squeezenet1_1_imagenet/model.safetensors");

  it("silero_vad hears speech, call by call, its state carried along", {
    skip: silero.skip || speech.skip,
  }, async () => {
    await add("silero-vad", silero.path);
    const wav = execFileSync("tar", ["-xOzf", speech.path, "7_jackson_0.wav"]);
    const { samples, sampleRate } = readWav(wav);
    assert.equal(sampleRate, 8000);
    const [loud, quiet] = [await probabilities(samples), await probabilities(new Float32Array(samples.length))];
    assert.ok(Math.max(...loud) > 0.9, `${loud}`);
    assert.ok(Math.max(...quiet) < 0.1, `${quiet}`);
  });

  /** Of speech, in each 32 ms, which are given with the 4 ms before them. */
  async function probabilities(samples: Float32Array): Promise<number[]> {
    const [window, context] = [256, 32];
    const padded = Float32Array.from({ length: context + samples.length }, (_, i) => samples[i - context] ?? 0);
    const found: number[] = [];
    let state: unknown[] = Array(2 * 128).fill(0);
    for (let at = 0; at + window <= samples.length; at += window) {
      const heard = [...padded.subarray(at, at + context + window)];
      const inputs: InferInput[] = [
        { name: "input", shape: [1, context + window], datatype: "FP32", data: heard },
        { name: "state", shape: [2, 1, 128], datatype: "FP32", data: state },
        { name: "sr", shape: [], datatype: "INT64", data: [8000] },
      ];
      const [output, next] = (await answer("silero-vad", { inputs })).outputs;
      found.push(output!.data[0] as number);
      state = next!.data;
    }
    return found;
  }

  it("SqueezeNet has the features that its weights have here", { skip: squeezeNet.skip || weights.skip }, async () => {
    await add("squeezenet", squeezeNet.path);
    const pixels = randomValues(3 * 64 * 64, { seed: 4, low: 0, high: 1 });
    const data_base64 = Buffer.from(pixels.buffer).toString("base64");
    const image = { name: "image", shape: [1, 3, 64, 64], datatype: "FP32", data_base64 };
    const [features] = (await answer("squeezenet", { inputs: [image] })).outputs;
    const stored = squeezeNetFromKeras(readSafetensors(readFileSync(weights.path)).tensors);
    const scope = new WeightScope(new Map(Object.entries(stored).map(([name, { shape }]) => [name, shape])));
    const ours = toOnnx({
      outputs: { features: squeezeNetFeatures(scope, input("image", ["batch", 3, 64, 64])) },
      initializers: Object.fromEntries(Object.entries(stored).map(([name, { data }]) => [name, data as TypedArray])),
    });
    const expected = await withSession(ours, (session) => session.run({ image: tensor([1, 3, 64, 64], pixels) }));
    assert.deepEqual(features!.shape, [1, 512]);
    for (const [i, value] of numbers(expected.features).entries()) {
      assert.ok(Math.abs(value - (features!.data[i] as number)) < 1e-4 * Math.max(1, Math.abs(value)), `feature ${i}`);
    }
  });
});
