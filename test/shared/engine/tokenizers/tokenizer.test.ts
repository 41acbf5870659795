/** Tokenizer files as they are found beside checkpoints. */
import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readTokenizer } from "../../../../shared/engine/tokenizers/tokenizer.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-tokenizer-"));
});
after(() => rm(directory, { recursive: true }));

describe("a WordPiece vocabulary", () => {
  const uncased = sharedFile("models/tokenizer_bert_uncased");
  const texts = [
    "Hello, World! It's unaffable.",
    "Crème brûlée costs 3.50 EUR",
    "日本語 and 中文",
    "a\tb\nc   d",
    "e-mail me@example.com #1",
    "",
    "🙂 ok",
    `${"x".repeat(101)} end`,
  ];

  it("tokenizes as the tokenizer.json made from it, pairs of texts too", { skip: uncased.skip }, async () => {
    await copyFile(join(uncased.path, "vocab.txt"), join(directory, "vocab.txt"));
    const [bare, full] = [await readTokenizer(directory), await readTokenizer(uncased.path)];
    for (const text of texts) {
      assert.deepEqual(bare.encode(text), full.encode(text), text);
      assert.deepEqual(bare.encode(text, "and more"), full.encode(text, "and more"), text);
    }
    assert.deepEqual(bare.encode("hello world").input_ids, [101, 7592, 2088, 102]);
    assert.deepEqual(bare.encode("hello", "world").token_type_ids, [0, 0, 0, 1, 1]);
    assert.equal(bare.decode([101, 7592, 1010, 2088, 999, 102]), "hello, world!");
  });

  const chinese = sharedFile("models/tokenizer_bert_chinese");
  it("gives each Chinese character its own token", { skip: chinese.skip }, async () => {
    const tokenizer = await readTokenizer(chinese.path);
    const tokens = ["[CLS]", "今", "天", "天", "气", "好", "，", "gp", "##t", "[SEP]"];
    assert.deepEqual(
      tokenizer.encode("今天天气好，GPT").input_ids,
      tokens.map((token) => tokenizer.idOf(token)),
    );
  });

  it("is refused without a special token", async () => {
    await writeFile(join(directory, "vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n");
    await assert.rejects(readTokenizer(directory), /vocab\.txt has no token \[MASK\]/);
  });
});

describe("a byte-level tokenizer", () => {
  const gpt2 = sharedFile("models/tokenizer_gpt2");
  it("gives back every text it took", { skip: gpt2.skip }, async () => {
    const tokenizer = await readTokenizer(gpt2.path);
    assert.deepEqual(tokenizer.encode("Hello world").input_ids, [15496, 995]);
    for (const text of ["  two  spaces\n", "naïve café 中文 🙂", "x = y[3];"]) {
      assert.equal(tokenizer.decode(tokenizer.encode(text).input_ids), text);
    }
  });
});

describe("a vocabulary of llama2.c", () => {
  const content = {
    type: "llama2.c sentencepiece-BPE",
    vocab: [
      "<unk>",
      "\n<s>\n",
      "\n</s>\n",
      ...Array.from({ length: 256 }, byteName),
      " ",
      "a",
      "b",
      "ab",
      " a",
      " ab",
      "ba",
    ],
    scores: [...Array<number>(262).fill(0), -1, -2, -3, -4],
    bos: 1,
    eos: 2,
    byte_fallback_offset: 3,
  };
  const write = (value: object) => writeFile(join(directory, "tokenizer.json"), JSON.stringify(value));
  const id = (token: string) => content.vocab.indexOf(token);
  after(() => rm(join(directory, "tokenizer.json")));

  it("merges the pair of the highest score first, and spells what it has not by bytes", async () => {
    await write(content);
    const tokenizer = await readTokenizer(directory);
    assert.deepEqual(tokenizer.encode("ab").input_ids, [1, id(" ab")]);
    assert.deepEqual(tokenizer.encode("aab").input_ids, [1, id(" a"), id("ab")]);
    assert.deepEqual(tokenizer.encode("bab").input_ids, [1, id(" "), id("b"), id("ab")]);
    assert.deepEqual(tokenizer.encode("é").input_ids, [1, id(" "), 3 + 0xc3, 3 + 0xa9]);
    assert.equal(tokenizer.decode(tokenizer.encode("aé ab").input_ids), "aé ab");
    assert.deepEqual(tokenizer.encode("").input_ids, [1]);
  });

  it("is refused by the name of a malformed field", async () => {
    await write({ ...content, scores: [1] });
    await assert.rejects(readTokenizer(directory), /tokenizer\.json: "scores" is missing or malformed/);
  });

  it("and any other file that describes no tokenizer is refused by its name", async () => {
    await write({});
    await assert.rejects(readTokenizer(directory), /tokenizer\.json describes no model/);
    const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
    await write({ ...parts, model: { type: "Unheard" } });
    await assert.rejects(readTokenizer(directory), /tokenizer\.json: .*Unheard/);
    await writeFile(join(directory, "tokenizer.json"), "{");
    await assert.rejects(readTokenizer(directory), /tokenizer\.json is not JSON/);
  });
});

function byteName(_: unknown, byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
