/** A resident base reads each row through the adapter it names, whatever else lies in the bank or in the batch. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { mergeLora, normals, toOnnx } from "../../../../shared/engine/index.ts";
import { adaptedGraph, adapterFor, frozenData, openEncoder } from "../../../../shared/engine/models/adaptedBase.ts";
import { type Pretrained, readPretrained } from "../../../../shared/engine/models/pretrained.ts";
import { AdapterBank, BankError } from "../../../../shared/engine/resident/bank.ts";
import { Resident, type ResidentAnswer } from "../../../../shared/engine/resident/resident.ts";
import { createSession } from "../../../../shared/engine/runtime/session.ts";
import { padBatch } from "../../../../shared/engine/training/textBatches.ts";
import { tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { writeTinyBase } from "../../../support/tinyBase.ts";
import { rowsOf } from "../../../support/trainingData.ts";

const texts = rowsOf(2).map(({ text }) => text);
let directory: string;
let pretrained: Pretrained;
let encoded: Int32Array[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-resident-"));
  await writeTinyBase(directory, texts);
  pretrained = await readPretrained(directory);
  const { encode } = await openEncoder(directory);
  encoded = texts.map(encode);
});
after(() => rm(directory, { recursive: true }));

/** Adapter and head of a model called `m` and its seed, with as many classes as that. */
function dataOf(model: string) {
  const seed = Number(model.slice(1));
  const graph = adaptedGraph(pretrained, seed, adapterFor(pretrained.model));
  const parameters = [...graph.lora.adapter.parameters, ...graph.head];
  const data = Object.fromEntries(
    parameters.map(({ name, type }, stream) => {
      const length = (type.shape as number[]).reduce((product, side) => product * side, 1);
      return [name!, normals(length, { seed, stream, deviation: 0.3 })];
    }),
  );
  return { graph, parameters, data };
}

const loaded: string[] = [];
function load(model: string) {
  loaded.push(model);
  const { parameters, data } = dataOf(model);
  return new Map(Object.entries(tensorsOf(parameters, data)));
}

/** With the adapter merged into the base: what a model of its own would answer. */
async function merged(model: string, ids: Int32Array): Promise<number[]> {
  const { graph, data } = dataOf(model);
  const head = Object.fromEntries(graph.head.map(({ name }) => [name!, data[name!]!]));
  const plain = adaptedGraph(pretrained, Number(model.slice(1)), { ...graph.lora.config, dropout: 0 });
  const adapter = Object.fromEntries(graph.lora.adapter.parameters.map(({ name, type }) => [name!, type.shape]));
  const zeros = Object.fromEntries(
    Object.entries(adapter).map(([name, shape]) => [
      name,
      new Float32Array((shape[0] as number) * (shape[1] as number)),
    ]),
  );
  const weights = mergeLora({ ...frozenData(pretrained, graph), ...head }, data, graph.lora);
  const session = await createSession(
    toOnnx({ outputs: { logits: plain.logits }, initializers: { ...weights, ...zeros } }),
    { threads: 1 },
  );
  const { logits } = await session.run(padBatch([ids]));
  await session.release();
  return [...(logits!.data as Float32Array)];
}

function bytesFor(models: number): number {
  const { lora } = adaptedGraph(pretrained, 2, adapterFor(pretrained.model));
  return models * AdapterBank.bytesPerSlot(lora.placements, lora.config);
}

async function open(models: number): Promise<Resident> {
  const options = { threads: 1, precision: "float32", adapterBytes: bytesFor(models) } as const;
  return Resident.open(pretrained, adapterFor(pretrained.model), options);
}

function logitsOf(answer: ResidentAnswer | Error | undefined): number[] {
  assert.ok(answer && !(answer instanceof Error), String(answer));
  return [...answer.logits!];
}

function close(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries())
    assert.ok(Math.abs(value - expected[i]!) < 1e-4, `${actual} / ${expected}`);
}

describe("a resident base", () => {
  it("answers a batch of many models as each would alone, merged", async () => {
    const resident = await open(4);
    const models = ["m2", "m5", "m3", "m2", "m4", "m5"];
    const answers = await resident.run(
      models.map((model, i) => ({ ids: encoded[i]!, model })),
      load,
    );
    for (const [i, model] of models.entries()) close(logitsOf(answers[i]), await merged(model, encoded[i]!));
    assert.notDeepEqual(logitsOf(answers[0]), logitsOf(answers[3]));
    await resident.release();
  });

  it("gives the base's own vector where no model is named, beside rows that name one", async () => {
    const resident = await open(2);
    const [alone] = await resident.run([{ ids: encoded[0]!, model: null }], load);
    const [, beside] = await resident.run(
      [
        { ids: encoded[0]!, model: "m3" },
        { ids: encoded[0]!, model: null },
      ],
      load,
    );
    assert.ok(alone && !(alone instanceof Error) && beside && !(beside instanceof Error));
    assert.equal(beside.logits, null);
    close([...beside.vector], [...alone.vector]);
    await resident.release();
  });

  it("throws out what was used longest ago, and loads it again", async () => {
    const resident = await open(2);
    const ask = (model: string) => resident.run([{ ids: encoded[1]!, model }], load);
    const first = logitsOf((await ask("m2"))[0]);
    for (const model of ["m3", "m2", "m4"]) await ask(model);
    assert.deepEqual(resident.models, ["m2", "m4"]);
    loaded.length = 0;
    assert.deepEqual(logitsOf((await ask("m2"))[0]), first);
    assert.deepEqual(loaded, []);
    await ask("m3");
    assert.deepEqual(loaded, ["m3"]);
    close(logitsOf((await ask("m4"))[0]), await merged("m4", encoded[1]!));
    await resident.release();
  });

  it("fails the rows of a model that cannot be loaded, and no others", async () => {
    const resident = await open(2);
    const rows = ["m2", "m3", "m2"].map((model, i) => ({ ids: encoded[i]!, model }));
    const [first, broken, last] = await resident.run(rows, (model) => {
      const weights = load(model);
      if (model === "m3") weights.delete("base_model.model.bert.encoder.layer.1.attention.self.value.lora_B.weight");
      return weights;
    });
    assert.ok(broken instanceof BankError);
    assert.match(broken.message, /layer\.1\.attention\.self\.value\.lora_B\.weight" is missing/);
    close(logitsOf(first), await merged("m2", encoded[0]!));
    close(logitsOf(last), await merged("m2", encoded[2]!));
    assert.deepEqual(resident.models, ["m2"]);
    await resident.release();
  });

  it("refuses more models in one call than it has slots", async () => {
    const resident = await open(2);
    const rows = ["m2", "m3", "m4"].map((model) => ({ ids: encoded[0]!, model }));
    await assert.rejects(resident.run(rows, load), /3 models at once do not fit into 2 slots/);
    await resident.release();
  });
});
