/** The bytes of tokens: those of a text's tokens in a row are the text's own, whatever the tokenizer. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readVocabulary } from "../../../../shared/engine/generation/tokenBytes.ts";
import { readTokenizer } from "../../../../shared/engine/tokenizers/tokenizer.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";
import { withDirectory } from "../models/tinyModels.ts";

const texts = ['Lily\'s mom said: "No!"\n\t{}', "naïve 中文 🙂", " two  spaces ", "a\u0000b", '{"k": [1, -2.5e3]}'];

async function roundTrip(directory: string, size: number, prefix = ""): Promise<void> {
  const [tokenizer, { bytes, isExact }] = [await readTokenizer(directory), await readVocabulary(directory, size)];
  assert.ok(isExact);
  assert.equal(bytes.length, size);
  for (const text of texts) {
    const spelt = tokenizer
      .encodeBare(text)
      .map((id) => bytes[id] ?? assert.fail(`token ${id} of ${text} has no bytes`));
    assert.equal(Buffer.concat(spelt).toString(), prefix + text);
  }
}

const gpt2 = sharedFile("models/tokenizer_gpt2");
it("of GPT-2's letters", { skip: gpt2.skip }, async () => {
  await roundTrip(gpt2.path, 50_257);
  const { bytes } = await readVocabulary(gpt2.path, 50_300);
  assert.deepEqual([bytes[50_256], bytes[50_299]], [undefined, undefined]);
});

const stories = sharedFile("models/stories260K");
it("of llama2.c's vocabulary, which sets a space before each text", { skip: stories.skip }, async () => {
  await roundTrip(stories.path, 512, " ");
  const { bytes } = await readVocabulary(stories.path, 512);
  assert.deepEqual([bytes[1], bytes[2]], [undefined, undefined]);
});

it("of SentencePiece's pieces and bytes", async () => {
  const pieces = [
    "<unk>",
    "<s>",
    "</s>",
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
    "▁",
    "a",
    "▁a",
  ];
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const added_tokens = ["<unk>", "<s>", "</s>"].map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
  }));
  const tokenizer = {
    version: "1.0",
    added_tokens,
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
      ],
    },
    model: { type: "BPE", vocab, merges: ["▁ a"], unk_token: "<unk>", byte_fallback: true, fuse_unk: true },
  };
  await withDirectory({ "tokenizer.json": tokenizer }, async (directory) => {
    await roundTrip(directory, pieces.length);
    const { bytes } = await readVocabulary(directory, pieces.length);
    assert.deepEqual(bytes.slice(0, 3), [undefined, undefined, undefined]);
    assert.deepEqual([...bytes.at(-1)!], [0x20, 0x61]);
  });
});

const chinese = sharedFile("models/tokenizer_bert_chinese");
it("of word pieces, between which the tokenizer sets spaces", { skip: chinese.skip }, async () => {
  const { bytes, isExact } = await readVocabulary(chinese.path, 21_128);
  assert.equal(isExact, false);
  assert.equal(bytes[101], undefined);
});
