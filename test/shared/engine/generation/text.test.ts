/** Text as it comes: whole characters, and stop sequences that lie across tokens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StopFilter, TextDecoder, textOf } from "../../../../shared/engine/generation/text.ts";
import { philox } from "../../../../shared/engine/index.ts";
import { scoredBpe } from "../../../../shared/engine/tokenizers/scoredBpe.ts";
import { readTokenizer } from "../../../../shared/engine/tokenizers/tokenizer.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";

/** Three special tokens, a token for each byte, and a few words. */
const words = [" ", "a", "b", "END", "é"];
const vocab = ["<unk>", "<s>", "</s>", ...Array.from({ length: 256 }, (_, byte) => `<0x${byte}>`), ...words];
const tokenizer = scoredBpe({ vocab, scores: vocab.map(() => 0), bos: 1, eos: 2, byte_fallback_offset: 3 });
const bytesOf = (text: string) => [...Buffer.from(text)].map((byte) => byte + 3);
const word = (text: string) => vocab.indexOf(text);

const text = "naïve 中文 🙂 \uFFFD é end";

function assertStreams(all: string, ids: readonly number[], tokens = tokenizer, prompt: readonly number[] = [1]): void {
  const decoder = new TextDecoder(tokens, prompt);
  const pieces = ids.map((id) => decoder.push(id));
  assert.equal(pieces.join("") + decoder.end(), all);
  for (const piece of pieces) assert.ok(!/\p{Surrogate}/u.test(piece), "half a character was told");
}

describe("text of tokens as they come", () => {
  it("tells each character once its last byte is there", () => {
    assertStreams(text, bytesOf(text));
    const decoder = new TextDecoder(tokenizer, [1]);
    assert.deepEqual(
      bytesOf("é🙂").map((id) => decoder.push(id)),
      ["", "é", "", "", "", "🙂"],
    );
  });

  it("tells broken bytes as the replacement character, and goes on", () => {
    assertStreams("a\uFFFDb", [word("a"), bytesOf("é")[0]!, word("b")]);
    const decoder = new TextDecoder(tokenizer, [1]);
    assert.equal(decoder.push(bytesOf("é")[0]!) + decoder.end(), "\uFFFD");
  });

  it("completes a character that the prompt began", () => {
    const [first, second] = bytesOf("é");
    assert.equal(new TextDecoder(tokenizer, [1, word("a"), first!]).push(second!), "é");
  });

  const stories = sharedFile("models/stories260K");
  const gpt2 = sharedFile("models/tokenizer_gpt2");
  for (const { path, skip } of [stories, gpt2]) {
    it(`tells what the tokenizer decodes at once (${path.split("/").at(-1)})`, { skip }, async () => {
      const real = await readTokenizer(path);
      const prompt = real.encode("Once upon a time").input_ids;
      const both = real.encode(`Once upon a time, ${text}`).input_ids;
      assert.deepEqual(both.slice(0, prompt.length), prompt);
      assertStreams(`, ${text}`, both.slice(prompt.length), real, prompt);
    });
  }
});

describe("stop sequences", () => {
  it("end the text before them, however the text is cut, and no part of one is told", () => {
    const stops = ["<|end|>", "##", "\n\nUser:"];
    for (let seed = 0; seed < 300; seed++) {
      const [pick, at, cut] = philox([seed, 0, 0, 0], [3, 0]);
      const lead = "a < b <| c # d \n\nUse it <|end| > ".slice(0, at % 34);
      const whole = `${lead}${stops[pick % 3]}tail##`;
      const filter = new StopFilter(stops);
      let told = "";
      for (let i = 0; i < whole.length; i += (cut % 4) + 1) told += filter.push(whole.slice(i, i + (cut % 4) + 1));
      assert.ok(filter.stopped);
      const first = Math.min(...stops.map((stop) => whole.indexOf(stop)).filter((place) => place >= 0));
      assert.equal(told + filter.end(), whole.slice(0, first));
    }
  });

  it("that were only begun are told at the end", () => {
    const filter = new StopFilter(["abc"]);
    assert.equal(filter.push("xab"), "x");
    assert.equal(filter.push("d"), "abd");
    assert.equal(filter.push("ab"), "");
    assert.equal(filter.end(), "ab");
    assert.throws(() => new StopFilter([""]), /must not be empty/);
  });

  it("cancel what writes the tokens, and the tokens read are told", async () => {
    let cancelled = false;
    async function* tokens() {
      try {
        const chunks = [
          [word("a"), word(" ")],
          [word("a"), ...bytesOf("EN")],
          [...bytesOf("D"), word("b")],
        ];
        for (const ids of chunks) yield { tokens: ids.map((id) => ({ id, logProbability: -1, top: [] })) };
        assert.fail("went on after the stop sequence");
      } finally {
        cancelled = true;
      }
    }
    const pieces = [];
    for await (const piece of textOf(tokens(), { tokenizer, prompt: [1], stop: ["END"] })) pieces.push(piece);
    assert.deepEqual(
      pieces.map((piece) => piece.text),
      ["a ", "a", ""],
    );
    assert.deepEqual(
      pieces.map((piece) => piece.tokens.length),
      [2, 3, 1],
    );
    assert.deepEqual(
      pieces.map((piece) => piece.finishReason),
      [undefined, undefined, "stop"],
    );
    assert.ok(cancelled);
  });

  it("tell at the end what was held back", async () => {
    async function* tokens() {
      yield {
        tokens: [word("a"), ...bytesOf("EN"), bytesOf("é")[0]!].map((id) => ({ id, logProbability: -1, top: [] })),
      };
      yield { tokens: [], finishReason: "length" as const };
    }
    const pieces = [];
    for await (const piece of textOf(tokens(), { tokenizer, prompt: [1], stop: ["END"] })) pieces.push(piece);
    assert.deepEqual(
      pieces.map((piece) => [piece.text, piece.finishReason]),
      [
        ["a", undefined],
        ["EN\uFFFD", "length"],
      ],
    );
  });
});
