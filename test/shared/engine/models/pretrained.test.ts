/** Checkpoints as Hugging Face lays them out: read in every form, and refused by the name of what does not fit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type StoredTensor, type Tensor, toOnnx } from "../../../../shared/engine/index.ts";
import { type HeadName, textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel, readPretrained, weightsFor } from "../../../../shared/engine/models/pretrained.ts";
import { numbers, tensor, withSession } from "../run.ts";
import { type TinyName, tinyBuilt, tinyConfigs, tinyFeeds, withDirectory } from "./tinyModels.ts";

const causal = { head: "causal" } as const;
const newHead = { seed: 5 };

async function load(
  files: Record<string, object | string>,
  { head = "causal", ...rest }: { head?: HeadName; newHead?: { seed: number } } = {},
) {
  return withDirectory(files, async (directory) => {
    const pretrained = await readPretrained(directory);
    const { output, scope } = buildModel(pretrained.model, { head }, { inputs: textInputs() });
    return { output, initializers: weightsFor(pretrained, scope.parameters, rest.newHead) };
  });
}

async function answer({ output, initializers }: Awaited<ReturnType<typeof load>>): Promise<number[]> {
  const model = toOnnx({ outputs: { output }, initializers });
  return withSession(model, async (session) => numbers((await session.run(tinyFeeds)).output));
}

const checkpoint = (name: TinyName, head: HeadName = "causal") => {
  const { weights } = tinyBuilt(name, { head });
  return { "config.json": tinyConfigs[name], "model.safetensors": weights as Record<string, StoredTensor> };
};

/** Each element's upper half, rounded to nearest. */
const bfloat16 = ({ shape, data }: Tensor): StoredTensor => {
  const bits = new Uint32Array((data as Float32Array).slice().buffer);
  return {
    shape,
    data: Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16),
    dataType: "bfloat16",
  };
};
const float16 = ({ shape, data }: Tensor): StoredTensor => ({
  shape,
  data: new Uint16Array(Float16Array.from(data as Float32Array).buffer),
  dataType: "float16",
});
const map = (tensors: Record<string, StoredTensor>, change: (tensor: Tensor) => StoredTensor) =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, change(value)]));

describe("a checkpoint is read", () => {
  for (const [name, head] of [
    ["llama", "causal"],
    ["qwen2", "causal"],
    ["gpt2", "causal"],
    ["bert", "sequence"],
    ["roberta", "sequence"],
    ["distilbert", "sequence"],
  ] as const) {
    it(`to the weights it holds: ${name}`, async () => {
      const files = checkpoint(name, head);
      const { initializers } = await load(files, { head });
      const stored = files["model.safetensors"];
      assert.deepEqual(Object.keys(initializers).sort(), Object.keys(stored).sort());
      for (const [weight, data] of Object.entries(initializers)) assert.deepEqual(data, stored[weight]!.data, weight);
    });
  }

  it("from half precision, as the numbers it holds", async () => {
    const files = checkpoint("llama");
    const exact = await answer(await load(files));
    for (const [narrow, tolerance] of [
      [float16, 2e-2],
      [bfloat16, 2e-1],
    ] as const) {
      const answered = await answer(
        await load({ ...files, "model.safetensors": map(files["model.safetensors"], narrow) }),
      );
      const worst = answered.reduce((most, logit, i) => Math.max(most, Math.abs(logit - exact[i]!)), 0);
      assert.ok(worst > 0 && worst < tolerance, `a logit is off by ${worst}`);
    }
    const data = Uint16Array.from({ length: 16 }, (_, i) => (i % 2 ? 0xc000 : 0x3f80));
    const norm = { "model.norm.weight": { shape: [16], data, dataType: "bfloat16" as const } };
    const { initializers } = await load({ ...files, "model.safetensors": { ...files["model.safetensors"], ...norm } });
    assert.deepEqual(
      initializers["model.norm.weight"],
      Float32Array.from({ length: 16 }, (_, i) => (i % 2 ? -2 : 1)),
    );
  });

  it("from shards", async () => {
    const files = checkpoint("llama");
    const entries = Object.entries(files["model.safetensors"]);
    const [first, second] = [Object.fromEntries(entries.slice(0, 7)), Object.fromEntries(entries.slice(7))];
    const [a, b] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
    const weight_map = Object.fromEntries(entries.map(([name], i) => [name, i < 7 ? a : b]));
    const sharded = {
      "config.json": tinyConfigs.llama,
      "model.safetensors.index.json": { metadata: {}, weight_map },
      [a]: first,
      [b]: second,
    };
    assert.deepEqual((await load(sharded)).initializers, (await load(files)).initializers);

    const { [b]: _, ...without } = sharded;
    await assert.rejects(load(without), /model-00002-of-00002\.safetensors is missing/);
    await assert.rejects(load({ ...sharded, [b]: {} }), /".+" is not in model-00002-of-00002\.safetensors/);
    await assert.rejects(load({ ...sharded, [b]: { ...second, ...first } }), /holds ".+", which .+ does not put there/);
    const escaping = { weight_map: { "model.norm.weight": "../model.safetensors" } };
    await assert.rejects(
      load({ ...sharded, "model.safetensors.index.json": escaping }),
      /"model\.norm\.weight" lies in "\.\.\/model\.safetensors", which is no file name/,
    );
  });

  it("where the body stands alone, and where it carries saved masks", async () => {
    const files = checkpoint("gpt2");
    const bare = Object.fromEntries(
      Object.entries(files["model.safetensors"]).map(([name, value]) => [name.replace("transformer.", ""), value]),
    );
    const masks = { "h.0.attn.bias": tensor([1, 1, 2, 2], new Float32Array(4)) };
    const read = await load({ ...files, "model.safetensors": { ...bare, ...masks } });
    assert.deepEqual(read.initializers, (await load(files)).initializers);
  });

  it("where norms have TensorFlow's names, and where a pooler is of no use to the head", async () => {
    const files = checkpoint("bert", "sequence");
    const old = Object.entries(files["model.safetensors"]).map(([name, value]) => {
      return [name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"), value];
    });
    const { initializers } = await load(
      { ...files, "model.safetensors": Object.fromEntries(old) },
      { head: "similarity", newHead },
    );
    const body = Object.keys(files["model.safetensors"]).filter((name) => !/classifier|pooler/.test(name));
    assert.deepEqual(Object.keys(initializers).sort(), body.sort());
  });

  it("as pre-training left it: with the next-sentence head, the pooler, and the tied output layer a second time", async () => {
    const files = checkpoint("bert", "masked");
    const weights = files["model.safetensors"];
    const besides = {
      "bert.pooler.dense.weight": tensor([16, 16], new Float32Array(256)),
      "cls.seq_relationship.weight": tensor([2, 16], new Float32Array(32)),
      "cls.predictions.decoder.weight": weights["bert.embeddings.word_embeddings.weight"]!,
      "cls.predictions.decoder.bias": weights["cls.predictions.bias"]!,
    };
    const whole = { ...files, "model.safetensors": { ...weights, ...besides } };
    assert.deepEqual(
      (await load(whole, { head: "masked" })).initializers,
      (await load(files, { head: "masked" })).initializers,
    );
    const untied = { ...tinyConfigs.bert, tie_word_embeddings: false };
    await assert.rejects(load({ ...whole, "config.json": untied }, { head: "masked" }), /has no head "masked"/);
  });

  it("under a new head, the same for the same seed, which leaves the old one behind", async () => {
    const files = checkpoint("bert", "token");
    const [first, second] = [
      await load(files, { head: "sequence", newHead }),
      await load(files, { head: "sequence", newHead }),
    ];
    const fresh = Object.keys(first.initializers).filter((name) => !(name in files["model.safetensors"]));
    assert.deepEqual(fresh.sort(), ["bert.pooler.dense.bias", "bert.pooler.dense.weight"]);
    assert.deepEqual(first.initializers, second.initializers);
    assert.notDeepEqual(first.initializers["classifier.weight"], files["model.safetensors"]["classifier.weight"]!.data);
  });
});

describe("a checkpoint is refused", () => {
  const files = checkpoint("llama");
  const weights = files["model.safetensors"];
  const changed = (change: Record<string, StoredTensor | undefined>) => {
    const kept = Object.entries({ ...weights, ...change }).filter(([, value]) => value);
    return { ...files, "model.safetensors": Object.fromEntries(kept) };
  };
  const configured = (change: object) => ({ ...files, "config.json": { ...tinyConfigs.llama, ...change } });
  const up = "model.layers.1.mlp.up_proj.weight";

  const faults: Record<string, [Record<string, object | string>, RegExp]> = {
    "without a tensor": [
      changed({ [up]: undefined }),
      /"model\.layers\.1\.mlp\.up_proj\.weight" \[24, 16\] is missing/,
    ],
    "with one of another shape": [
      changed({ [up]: tensor([2, 16], new Float32Array(32)) }),
      /up_proj\.weight" is \[2, 16\], not \[24, 16\]/,
    ],
    "with one too many": [
      changed({ "model.extra": tensor([1], [1]) }),
      /"model\.extra" \[1\] belongs to no part of the model/,
    ],
    "with one of integers": [changed({ [up]: { shape: [1], data: Int32Array.of(1) } }), /up_proj\.weight" holds int32/],
    "of an unknown architecture": [
      configured({ model_type: "mamba" }),
      /"model_type" must be one of bert, .*llama.*, and is "mamba"/,
    ],
    "of no architecture": [configured({ model_type: undefined }), /"model_type" must be one of .*, and is missing/],
    "with a size that is no number": [
      configured({ hidden_size: "16" }),
      /config\.json: "hidden_size" must be a positive integer, and is "16"/,
    ],
    "with a size of 0": [
      configured({ num_hidden_layers: 0 }),
      /"num_hidden_layers" must be a positive integer, and is 0/,
    ],
    "without a size": [configured({ vocab_size: null }), /"vocab_size" must be a positive integer, and is missing/],
    "with heads that do not divide it": [
      configured({ num_attention_heads: 3 }),
      /"hidden_size" 16 is no multiple of "num_attention_heads" 3/,
    ],
    "with key heads that do not divide": [
      configured({ num_attention_heads: 4, num_key_value_heads: 3 }),
      /"num_attention_heads" 4 is no multiple of "num_key_value_heads" 3/,
    ],
    "with an unknown activation": [
      configured({ hidden_act: "xielu" }),
      /"hidden_act" must be one of .*, and is "xielu"/,
    ],
    "with a flag that is none": [
      configured({ tie_word_embeddings: "yes" }),
      /"tie_word_embeddings" must be true or false/,
    ],
    "with positions scaled in an unknown way": [
      configured({ rope_scaling: { type: "yarn", factor: 4 } }),
      /config\.json, "rope_scaling": "type" must be one of default, linear, llama3, and is "yarn"/,
    ],
    "with positions scaled by nothing": [
      configured({ rope_parameters: { rope_type: "linear", rope_theta: 1e4 } }),
      /config\.json, "rope_parameters": "factor" must be a number above 0, and is missing/,
    ],
    "with scaled positions that are no object": [
      configured({ rope_scaling: 2 }),
      /"rope_scaling" must be an object, and is 2/,
    ],
    "with quantized weights": [
      configured({ quantization_config: {} }),
      /"quantization_config" is \{\}, which is not supported/,
    ],
    "without a configuration": [{ "model.safetensors": weights }, /config\.json is missing/],
    "with a broken configuration": [{ ...files, "config.json": "{" }, /config\.json is not JSON/],
    "with a configuration of another kind": [{ ...files, "config.json": "[]" }, /config\.json is not a JSON object/],
    "without weights": [{ "config.json": tinyConfigs.llama }, /neither model\.safetensors nor .* is there/],
  };
  for (const [reason, [content, message]] of Object.entries(faults)) {
    it(reason, () => assert.rejects(load(content), message));
  }

  it("without part of its body, even under a new head", async () => {
    await assert.rejects(
      load(changed({ [up]: undefined }), { head: "token", newHead }),
      /up_proj\.weight" .* is missing/,
    );
  });

  it("for a head the family has not", () => {
    assert.throws(() => tinyBuilt("bert", causal), /module "bert" has no head "causal"/);
  });
});
