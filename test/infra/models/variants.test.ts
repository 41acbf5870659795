/** Which precision a base is served in: measured when it is imported, guarded by accuracy, and told to the operator. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { cardOf } from "../../../infra/models/card.ts";
import { type Call, commands } from "../../../infra/models/commands.ts";
import { initialize, writeSafetensors } from "../../../shared/engine/index.ts";
import { modelOf } from "../../../shared/engine/models/families.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../shared/engine/models/pretrained.ts";
import { agreement } from "../../../shared/engine/quantization/agreement.ts";
import { headAccuracies } from "../../../shared/engine/quantization/headAccuracy.ts";
import { type Precision, precisions } from "../../../shared/engine/quantization/precision.ts";
import { CheckpointConfig } from "../../../shared/engine/weights/checkpointConfig.ts";
import type { BaseRecord } from "../../../shared/schemas/base.ts";
import { chooseVariant, precisionOf } from "../../../shared/serving/variants.ts";
import { withDirectory } from "../../shared/engine/models/tinyModels.ts";
import { randomValues } from "../../shared/engine/run.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { addOnnx } from "../../support/records.ts";
import { sharedFile } from "../../support/sharedFiles.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

async function run(name: string, subject: string, options: Call["options"] = {}): Promise<string[]> {
  const lines: string[] = [];
  const { stores, home } = cloud;
  const print = (line: string) => void lines.push(line);
  await commands[name]!.run({ subject, options, environment: {}, home, stores, print, progress: () => {} });
  return lines;
}

const measured = (
  values: Partial<Record<Precision, [accuracy: number | null, agreement: number, milliseconds: number]>>,
) =>
  Object.entries(values).map(([precision, [accuracy, agreement, milliseconds]]) => {
    return { precision: precision as Precision, accuracy, agreement, milliseconds, bytes: 1 };
  });

describe("the precision that is chosen", () => {
  it("is the fastest of those within the tolerance, in points", () => {
    const found = measured({ float32: [0.9, 1, 30], int8: [0.898, 0.97, 10], int4: [0.88, 0.8, 5] });
    assert.equal(chooseVariant(found, 0.3), "int8");
    assert.equal(chooseVariant(found, 0.1), "float32");
    assert.equal(chooseVariant(found, 2.1), "int4");
    assert.equal(chooseVariant(measured({ float32: [0.9, 1, 10], int8: [0.95, 1, 9.5] }), 0.3), "float32");
  });

  it("is float32 without labels, unless nearly every answer is the same", () => {
    assert.equal(chooseVariant(measured({ float32: [null, 1, 30], int8: [null, 0.99, 10] }), 0.3), "float32");
    assert.equal(chooseVariant(measured({ float32: [null, 1, 30], int8: [null, 0.996, 10] }), 0.3), "int8");
    assert.equal(chooseVariant(measured({ float32: [null, 1, 30] }), 0.3), "float32");
  });

  it("is the deployment's where it insists on one, and float32 where nothing was measured", () => {
    const variant = { chosen: "int8" as const, texts: 1, measured: [] };
    assert.equal(precisionOf({ variant }, { precision: "auto" }), "int8");
    assert.equal(precisionOf({ variant }, { precision: "float32" }), "float32");
    assert.equal(precisionOf({}, { precision: "auto" }), "float32");
    assert.equal(precisionOf({}, { precision: "int4" }), "int4");
  });
});

describe("agreement", () => {
  // Three directions, of which the first two are near each other.
  const exact = { vectors: Float32Array.of(1, 0, 0.8, 0.6, 0, 1), nextTokens: null };

  it("is the share of texts whose nearest text is the same", () => {
    assert.equal(agreement(exact, exact, 3), 1);
    const other = { vectors: Float32Array.of(1, 0, 0.6, 0.8, 0, 1), nextTokens: null };
    assert.equal(agreement(other, exact, 3), 2 / 3, "the second is now nearer to the third");
  });

  it("is that of next tokens where that is less", () => {
    const writing = (...tokens: number[][]) => ({ ...exact, nextTokens: tokens.map((each) => Int32Array.from(each)) });
    assert.equal(agreement(writing([1, 2], [3], [4]), writing([1, 2], [3], [5]), 3), 3 / 4);
  });
});

describe("the accuracy of a head", () => {
  const [texts, width, classes] = [240, 8, 4];
  const labels = Int32Array.from({ length: texts }, (_, text) => text % classes);
  const noise = randomValues(texts * width, { seed: 3, low: -0.1, high: 0.1 });
  const exact = noise.map((value, at) => value + Number(at % width === labels[Math.floor(at / width)]));

  it("is judged on texts it has not seen, in the variants' own vectors", async () => {
    const shifted = exact.map((_, at) => exact[(at + width) % exact.length]!);
    const [same, wrong] = await headAccuracies({ labels, classes, exact }, [exact, shifted], 1);
    assert.equal(same, 1);
    assert.ok(wrong! < 0.02, `${wrong}: each vector is the next text's, which has another label`);
  });

  it("is chance where labels mean nothing", async () => {
    const random = randomValues(texts, { seed: 9, low: 0, high: classes });
    const meaningless = { labels: Int32Array.from(random), classes, exact };
    const [found] = await headAccuracies(meaningless, [exact], 1);
    assert.ok(found! > 0.1 && found! < 0.45, `${found}`);
  });
});

const words = ["ham", "eggs", "tea", "milk", "rain", "snow", "wind", "sun"];

/** A BERT just wide enough for its matrices to be rounded, as a folder. */
async function writeBase(folder: string): Promise<void> {
  const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words];
  const padded = [...vocabulary, ...Array.from({ length: 64 - vocabulary.length }, (_, i) => `[unused${i}]`)];
  const config = {
    model_type: "bert",
    hidden_size: 64,
    num_attention_heads: 4,
    intermediate_size: 128,
    num_hidden_layers: 2,
    vocab_size: padded.length,
    max_position_embeddings: 64,
    type_vocab_size: 2,
  };
  const model = modelOf(new CheckpointConfig(config));
  const { parameters } = buildModel(model, { head: "similarity" }, { inputs: textInputs() }).scope;
  const data = initialize(parameters, 3, 0.3);
  const tensors = parameters.map(({ name, type }) => [name!, { shape: type.shape as number[], data: data[name!]! }]);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "vocab.txt"), `${padded.join("\n")}\n`);
  await writeFile(join(folder, "model.safetensors"), writeSafetensors(Object.fromEntries(tensors)));
}

/** Of 60 texts, of food and of weather. */
function guardLines(): string[] {
  return Array.from({ length: 60 }, (_, i) => {
    const kind = i % 2;
    const word = (place: number) => words[4 * kind + ((i * 7 + place * place + (i >> 3)) % 4)]!;
    return JSON.stringify({ text: [0, 1, 2].map(word).join(" "), label: kind ? "weather" : "food" });
  });
}

describe("a base that is imported", () => {
  it("is measured by labelled texts, and says so in its row and on its card", async () => {
    await withDirectory({}, async (folder) => {
      await writeBase(folder);
      const guard = join(folder, "guard.jsonl");
      await writeFile(guard, `${guardLines().join("\n")}\n`);
      const told = await run("import", folder, { id: "measured", guard, tolerance: "100" });
      const record = (await cloud.stores.bases.get("measured")) as BaseRecord;
      const { chosen, texts, measured } = record.variant!;
      assert.equal(texts, 60);
      assert.deepEqual(
        measured.map(({ precision }) => precision),
        precisions,
      );
      const [float32, int8, int4] = measured;
      assert.ok(float32!.accuracy! > 0.9 && int8!.accuracy! > 0.9, JSON.stringify(measured));
      assert.equal(float32!.agreement, 1);
      assert.ok(int8!.bytes < 0.4 * float32!.bytes && int4!.bytes < int8!.bytes);
      assert.equal(chosen, chooseVariant(measured, 100));
      assert.deepEqual(told.slice(1), cardOf(record));
      assert.match(told[1]!, /^ {2}float32: 0\.3 MB, \d+ texts\/s, accuracy \d+\.\d %/);
      assert.equal(told.filter((line) => line.endsWith("<- served")).length, 1);
    });
  });

  it("is measured again when the operator asks, with texts of Millrace's own where there are none", async () => {
    const told = await run("variants", "measured");
    const { variant } = (await cloud.stores.bases.get("measured")) as BaseRecord;
    assert.equal(variant!.measured[0]!.accuracy, null);
    assert.ok(variant!.texts > 200);
    assert.equal(told.length, precisions.length);
    assert.ok((await run("list", "")).join("\n").includes(told.join("\n")));
  });

  it("that writes is measured by the next tokens too", sharedFile("models/stories260K"), async () => {
    await run("import", sharedFile("models/stories260K").path, { id: "stories" });
    const { variant } = (await cloud.stores.bases.get("stories")) as BaseRecord;
    const int4 = variant!.measured.find(({ precision }) => precision === "int4")!;
    assert.ok(int4.agreement > 0.3 && int4.agreement < 0.95, `${int4.agreement}`);
    assert.equal(variant!.chosen, "float32");
  });

  it("is not touched by options that say nothing, and what cannot be measured is refused by name", async () => {
    await withDirectory({}, async (folder) => {
      const guard = join(folder, "guard.jsonl");
      const refused = async (content: string, message: RegExp) => {
        await writeFile(guard, content);
        await assert.rejects(run("import", folder, { guard }), message);
      };
      await refused('{"text": "x"}\n', /has 1 texts; 20 to 20000 are needed/);
      await refused('{"text": "x", "label": "a"}\n{"label": "a"}\n', /guard\.jsonl, line 2: a "text" and a "label"/);
      await refused("{\n", /line 1/);
      const [first, ...others] = guardLines();
      await refused([JSON.stringify({ text: "x" }), first, ...others].join("\n"), /all lines have a "label", or none/);
      const alike = guardLines().map((line) => JSON.stringify({ ...JSON.parse(line), label: 1 }));
      await refused(alike.join("\n"), /all lines have the same "label"/);
      await assert.rejects(run("import", folder, { guard: join(folder, "none") }), /is no file that can be read/);
    });
    await assert.rejects(run("variants", "measured", { tolerance: "little" }), /--tolerance takes points/);
    await assert.rejects(run("variants", "nothing"), /There is no imported base "nothing"/);
    await addOnnx(cloud.stores, "onnx");
    await assert.rejects(run("variants", "onnx"), /"onnx" is an ONNX model, which is served as it is/);
  });
});
