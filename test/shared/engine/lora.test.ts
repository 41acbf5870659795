/** Adapters: what they cost, what they learn, and that merging, storing and reading them changes no answer. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  adapterDataFor,
  crossEntropy,
  gradients,
  initializeLora,
  input,
  type Lora,
  type LoraConfig,
  mergeLora,
  type Node,
  readAdapter,
  readSafetensors,
  type Tensor,
  toOnnx,
  topologicalOrder,
  WeightScope,
  withLora,
  writeAdapter,
} from "../../../shared/engine/index.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../shared/engine/models/pretrained.ts";
import { headParameters } from "../../../shared/engine/models/trainable.ts";
import { dataOf, tensorsOf } from "../../../shared/engine/weights/tensors.ts";
import { type TinyName, tinyBuilt, tinyFeeds, tinyModel, withDirectory } from "./models/tinyModels.ts";
import { train } from "./models/tinyTraining.ts";
import { bytesOf, numbers, tensor, withSession } from "./run.ts";

const config: LoraConfig = { rank: 3, alpha: 6, dropout: 0, targets: ["q_proj", "down_proj"] };
const labels = input("labels", ["batch", "sequence"], "int32");
const feeds = { ...tinyFeeds, labels: tensor([2, 5], Int32Array.of(9, 31, 2, 17, 1, 25, 3, 1, 1, 1)) };
const targets: Record<string, readonly string[]> = {
  llama: config.targets as string[],
  gpt2: ["c_attn", "mlp.c_fc"],
  bert: ["attention.self.query", "output.dense"],
  distilbert: ["q_lin", "lin2"],
};

/** A tiny model, adapted; the base's weights are as in `tinyBuilt`. */
function adapted(name: TinyName, change: Partial<LoraConfig> = {}, withSeed = false) {
  const causal = name === "llama" || name === "gpt2" || name === "qwen2";
  const head = causal ? ("causal" as const) : ("token" as const);
  const model = tinyModel(name);
  const seed = withSeed ? input("dropout_seed", [], "uint32") : undefined;
  const lora = withLora(
    new WeightScope(),
    { ...config, targets: targets[name]!, ...change },
    { body: model.prefix, seed },
  );
  const { output } = buildModel(model, { head, labels: 40 }, { inputs: textInputs(), scope: lora.scope });
  lora.requireTargets();
  const base = tinyBuilt(name, { head, labels: 40 });
  const adapter = tensorsOf(lora.adapter.parameters, initializeLora(lora, 3));
  return { model, lora, output, base, adapter, loss: crossEntropy(output, labels) };
}

async function answer(output: Node, weights: Record<string, Tensor>): Promise<number[]> {
  const model = toOnnx({ outputs: { output }, initializers: dataOf(weights) });
  return withSession(model, async (session) => numbers((await session.run(tinyFeeds)).output));
}

const worst = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

async function trained(name: TinyName, change?: Partial<LoraConfig>) {
  const built = adapted(name, change, true);
  const parameters = built.lora.adapter.parameters;
  const weights = { ...built.base.weights, ...built.adapter };
  return { ...built, ...(await train({ loss: built.loss, parameters, weights, feeds, steps: 8 })) };
}

describe("an adapter", () => {
  it("changes no answer before it has learned", async () => {
    const { output, base, adapter } = adapted("llama");
    assert.deepEqual(await answer(output, { ...base.weights, ...adapter }), await answer(base.output, base.weights));
  });

  it("learns on a frozen base, bit for bit the same each time, dropout included", async () => {
    const [first, second] = [await trained("llama", { dropout: 0.2 }), await trained("llama", { dropout: 0.2 })];
    assert.ok(first.losses.at(-1)! < first.losses[0]! - 0.1, `the losses are ${first.losses}`);
    for (const [name, value] of Object.entries(first.weights)) {
      assert.ok(bytesOf(value).equals(bytesOf(second.weights[name]!)), name);
    }
    const without = await trained("llama");
    assert.notEqual(first.losses.at(-1), without.losses.at(-1), "dropout has an effect");
  });

  it("costs no gradient of a frozen weight", () => {
    const { loss, lora, base } = adapted("llama");
    const count = (parameters: readonly Node[], counts: (node: Node) => boolean) =>
      topologicalOrder([...gradients(loss, parameters).values()]).filter(counts).length;
    // Activations have three axes or more: a product of two is a weight's gradient.
    const ofWeight = ({ op, type }: Node) => op === "MatMul" && type.shape.length === 2;
    const ofTable = ({ op }: Node) => op === "ScatterElements";
    const adapterOnly = lora.adapter.parameters;
    assert.equal(adapterOnly.length, 2 * 2 * 2);
    assert.equal(count(adapterOnly, ofWeight), adapterOnly.length);
    assert.equal(count(adapterOnly, ofTable), 1, "that of the labels, none of the token table");
    const all = topologicalOrder([loss]).filter(({ op }) => op === "Parameter");
    const linears = base.scope.parameters.filter(({ type, name }) => type.shape.length === 2 && !/embed/.test(name!));
    assert.equal(count(all, ofWeight), adapterOnly.length + linears.length);
  });

  for (const name of ["llama", "gpt2", "bert", "distilbert"] as const) {
    it(`merged into its base gives the same logits: ${name}`, async () => {
      const { output, base, lora, weights } = await trained(name, { rankStabilized: name === "bert" });
      const data = dataOf<Float32Array>(base.weights);
      const merged = mergeLora(data, dataOf<Float32Array>(weights), lora);
      const expected = await answer(output, { ...base.weights, ...weights });
      const actual = await answer(base.output, tensorsOf(base.scope.parameters, merged));
      assert.ok(worst(actual, expected) < 1e-4, `a logit is off by ${worst(actual, expected)}`);
      assert.ok(worst(await answer(base.output, base.weights), expected) > 1e-2, "the adapter has an effect");
    });
  }

  it("is refused by the target that no layer has, and by what is out of range", () => {
    assert.throws(() => adapted("llama", { targets: ["q_proj", "query"] }), /target "query" is no linear layer/);
    assert.throws(() => adapted("llama", { targets: ["self_attn"] }), /target "self_attn" is no linear layer/);
    assert.throws(() => adapted("llama", { rank: 0 }), /rank must be a positive integer, not 0/);
    assert.throws(() => adapted("llama", { alpha: 0 }), /alpha must be a positive number, not 0/);
    assert.throws(() => adapted("llama", { dropout: 1 }), /dropout lies in \[0, 1\), not 1/);
    assert.throws(() => adapted("llama", { targets: [] }), /at least one target/);
  });

  it('on "all-linear" is beside every linear layer of the body and not beside the head', () => {
    const { lora } = adapted("bert", { targets: "all-linear" });
    assert.equal(lora.placements.length, 2 * 6);
    assert.ok(lora.placements.every(({ path }) => path.startsWith("bert.encoder.layer.")));
  });
});

describe("an adapter in PEFT's files", () => {
  const description = { baseModel: "org/tiny", taskType: "TOKEN_CLS", savedModules: ["classifier"] } as const;

  async function stored(use: (directory: string, built: ReturnType<typeof adapted>) => Promise<void>) {
    const built = adapted("bert");
    const savedParameters = headParameters(built.model, built.base.scope.parameters);
    const data = {
      adapter: dataOf<Float32Array>(built.adapter),
      saved: dataOf<Float32Array>(built.base.weights, (name) => name.startsWith("classifier.")),
    };
    await withDirectory({}, async (directory) => {
      await writeAdapter(directory, { description, lora: built.lora, data, savedParameters });
      await use(directory, built);
    });
  }

  it("has PEFT's names, shapes and fields", () =>
    stored(async (directory) => {
      const { tensors } = readSafetensors(await readFile(join(directory, "adapter_model.safetensors")));
      const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
      const layer = "base_model.model.bert.encoder.layer.1";
      assert.deepEqual(shapes[`${layer}.attention.self.query.lora_A.weight`], [3, 16]);
      assert.deepEqual(shapes[`${layer}.output.dense.lora_A.weight`], [3, 24]);
      assert.deepEqual(shapes[`${layer}.output.dense.lora_B.weight`], [16, 3]);
      assert.deepEqual(shapes["base_model.model.classifier.weight"], [40, 16]);
      const written = JSON.parse(await readFile(join(directory, "adapter_config.json"), "utf8"));
      assert.equal(written.peft_type, "LORA");
      assert.deepEqual([written.r, written.lora_alpha, written.task_type], [3, 6, "TOKEN_CLS"]);
      assert.deepEqual(written.modules_to_save, ["classifier"]);
    }));

  it("comes back as it went, and is written the same again", () =>
    stored(async (directory, { model, base, adapter }) => {
      const read = await readAdapter(directory);
      assert.deepEqual(
        { ...read, weights: undefined },
        {
          ...description,
          lora: { ...config, targets: targets.bert, rankStabilized: false },
          weights: undefined,
        },
      );
      const lora = withLora(new WeightScope(), read.lora, { body: model.prefix });
      buildModel(model, { head: "token", labels: 40 }, { inputs: textInputs(), scope: lora.scope });
      const savedParameters = headParameters(model, base.scope.parameters);
      const data = adapterDataFor(read, lora, savedParameters);
      assert.deepEqual(data.adapter, dataOf(adapter));
      assert.deepEqual(data.saved["classifier.weight"], base.weights["classifier.weight"]!.data);
      const again = join(directory, "again");
      await writeAdapter(again, { description, lora, data, savedParameters });
      for (const file of ["adapter_config.json", "adapter_model.safetensors"]) {
        assert.deepEqual(await readFile(join(again, file)), await readFile(join(directory, file)));
      }
    }));

  it("is refused for another model's layers, by the tensor's name", () =>
    stored(async (directory, { model }) => {
      const read = await readAdapter(directory);
      const lora: Lora = withLora(new WeightScope(), { ...read.lora, rank: 2 }, { body: model.prefix });
      buildModel(model, { head: "token", labels: 40 }, { inputs: textInputs(), scope: lora.scope });
      assert.throws(
        () => adapterDataFor(read, lora, []),
        /query\.lora_A\.weight" is \[3, 16\], not \[2, 16\].*and \d+ more/,
      );
    }));

  const faults: Record<string, [object, RegExp]> = {
    "another kind of adapter": [
      { peft_type: "IA3" },
      /adapter_config\.json: "peft_type" must be one of LORA, and is "IA3"/,
    ],
    "weight decomposition": [{ use_dora: true }, /"use_dora" is true, which is not supported/],
    "trained biases": [{ bias: "all" }, /"bias" is "all", which is not supported/],
    "ranks of their own": [{ rank_pattern: { q_proj: 4 } }, /"rank_pattern" is .*, which is not supported/],
    "a pattern of targets": [
      { target_modules: ".*_proj" },
      /"target_modules" must be one of all-linear, and is "\.\*_proj"/,
    ],
    "no rank": [{ r: null }, /"r" must be a positive integer, and is missing/],
  };
  for (const [reason, [change, message]] of Object.entries(faults)) {
    it(`is refused with ${reason}`, () =>
      stored(async (directory) => {
        const file = join(directory, "adapter_config.json");
        await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), ...change }));
        await assert.rejects(readAdapter(directory), message);
      }));
  }
});
