/** What checkpoints say of their texts, in each of the places where they say it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { tokenBytes } from "../../../../shared/engine/generation/cache.ts";
import { readCausalText, textRoom } from "../../../../shared/engine/generation/causalText.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";
import { tinyConfigs, tinyModel, withDirectory } from "../models/tinyModels.ts";

const letters = [..."abcdefghijklmnopqrstuvwxyz"];
const tokenizer = {
  version: "1.0",
  added_tokens: [
    { id: 30, content: "<|im_start|>", special: true, normalized: false },
    { id: 31, content: "<|im_end|>", special: true, normalized: false },
  ],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  model: { type: "BPE", vocab: Object.fromEntries(letters.map((letter, id) => [letter, id])), merges: [] },
};
const checkpoint = { "config.json": tinyConfigs.qwen2, "tokenizer.json": tokenizer };
const read = (files: Record<string, object | string>) => withDirectory({ ...checkpoint, ...files }, readCausalText);

it("end tokens are those of the configuration, of generation's own, and of the tokenizer", async () => {
  const { endTokens, vocabulary, context } = await read({
    "config.json": { ...tinyConfigs.qwen2, eos_token_id: 7 },
    "generation_config.json": { eos_token_id: [7, 9, 4000] },
    "tokenizer_config.json": { eos_token: { content: "<|im_end|>" }, pad_token: "a" },
  });
  assert.deepEqual(
    [...endTokens].sort((a, b) => a - b),
    [7, 9, 31],
  );
  assert.deepEqual([vocabulary, context], [40, 14]);
  assert.deepEqual((await read({})).endTokens, []);
});

it("a template stands in the tokenizer's settings, among several of them, or in a file of its own", async () => {
  const of = async (files: Record<string, object | string>) => (await read(files)).chatTemplate;
  assert.equal(await of({ "tokenizer_config.json": { chat_template: "a" } }), "a");
  const several = [
    { name: "tool_use", template: "t" },
    { name: "default", template: "d" },
  ];
  assert.equal(await of({ "tokenizer_config.json": { chat_template: several } }), "d");
  assert.equal(await of({ "chat_template.jinja": "j" }), "j");
  assert.equal(await of({}), undefined);
  const { specialTokens } = await read({
    "tokenizer_config.json": { bos_token: null, eos_token: { content: "e" }, model_max_length: 3 },
  });
  assert.deepEqual(specialTokens, { eos_token: "e" });
});

it("a text has room for all positions, or for as many as a gibibyte holds", () => {
  const model = tinyModel("llama");
  assert.deepEqual(textRoom(model), { tokens: 14, bytes: 2 ** 28 });
  const middling = { ...model, maxPositions: 2 ** 19 };
  const { bytes, tokens } = textRoom(middling);
  assert.deepEqual([tokens, bytes], [2 ** 19, 4 * tokens * tokenBytes(model.layers, model.memory!)]);
  const large = {
    ...model,
    layers: 32,
    memory: { heads: 32, keyValueHeads: 8, headWidth: 128 },
    maxPositions: 131_072,
  };
  assert.deepEqual(textRoom(large), { tokens: Math.floor(2 ** 30 / tokenBytes(32, large.memory)), bytes: 2 ** 30 });
  assert.throws(() => textRoom(tinyModel("bert")), /does not predict next tokens/);
});

const stories = sharedFile("models/stories260K");
it("a vocabulary of llama2.c ends its texts itself, where they end and where the next would begin", {
  skip: stories.skip,
}, async () => {
  const { endTokens, context } = await readCausalText(stories.path);
  assert.deepEqual([endTokens, context], [[1, 2], 512]);
});
