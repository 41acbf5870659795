/** Vocabularies trained from a corpus: golden small cases, naive training beside them, and texts that come back. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { byteLetters } from "../../../../shared/engine/tokenizers/byteLetters.ts";
import { countWords } from "../../../../shared/engine/tokenizers/countWords.ts";
import { readTokenizer } from "../../../../shared/engine/tokenizers/tokenizer.ts";
import { byteLevel, trainBytePairs } from "../../../../shared/engine/tokenizers/trainBytePairs.ts";
import {
  type TrainedTokenizer,
  trainedTokenizer,
  writeTokenizer,
} from "../../../../shared/engine/tokenizers/trained.ts";
import { trainUnigram } from "../../../../shared/engine/tokenizers/trainUnigram.ts";
import { trainWordPiece } from "../../../../shared/engine/tokenizers/trainWordPiece.ts";
import { naiveMerges } from "./naiveTraining.ts";

const seeded = { seed: 20240711, numRuns: 60 };
const english = Array.from({ length: 40 }, (_, i) => [
  `The ${["quick", "lazy", "happy"][i % 3]} fox number ${i} jumps over ${i % 7} lazy dogs, again and again.`,
  "Training a vocabulary is counting, and counting again.",
]).flat();

// The example of the Hugging Face course, chapter 6: hug 10, pug 5, pun 12, bun 4, hugs 5.
const repeated = { hug: 10, pug: 5, pun: 12, bun: 4, hugs: 5 };
const course = Object.entries(repeated).flatMap(([word, count]) => Array<string>(count).fill(word));
const courseWords = new Map(Object.entries(repeated));

interface PairModel {
  model: { merges: [string, string][]; vocab: Record<string, number> };
}
const contentOf = ({ tokenizer }: TrainedTokenizer) => tokenizer as PairModel;
// An object's keys that look like numbers come first, whatever their ids.
const vocabulary = (trained: TrainedTokenizer) =>
  Object.entries(contentOf(trained).model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);

/** Words of two letters, in which ties and repeated letters are common. */
const wordLists = fc.array(fc.stringMatching(/^[ab]{1,7}$/), { minLength: 1, maxLength: 12 });
const countsOf = (words: readonly string[]) => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
};

describe("byte pairs", () => {
  it("are merged in the order of the course's example", async () => {
    const trained = await trainBytePairs(course, { size: 257 + 3, specialTokens: ["<|endoftext|>"] });
    const { merges } = contentOf(trained).model;
    assert.deepEqual(merges, [
      ["u", "g"],
      ["u", "n"],
      ["h", "ug"],
    ]);
    assert.deepEqual(vocabulary(trained).slice(-3), ["ug", "un", "hug"]);
    const tokenizer = trainedTokenizer(trained);
    const written = (text: string) => tokenizer.encode(text).input_ids.map((id) => vocabulary(trained)[id]);
    assert.deepEqual(
      [written("bug"), written("hugs")],
      [
        ["b", "ug"],
        ["hug", "s"],
      ],
    );
  });

  it("are those of a training that recounts everything, ties and repeated letters included", () =>
    fc.assert(
      fc.asyncProperty(wordLists, fc.integer({ min: 1, max: 12 }), async (words, merges) => {
        const expected = naiveMerges(countsOf(words), {
          first: { tokens: byteLetters, spell: (word) => [...word] },
          join: (a, b) => a + b,
          merges,
          minFrequency: 2,
        });
        const unlimited = await trainBytePairs(words, { size: 256 + 40, specialTokens: [] });
        assert.deepEqual(contentOf(unlimited).model.merges.slice(0, merges), expected);
      }),
      seeded,
    ));
});

describe("word pieces", () => {
  it("of one word or the next are told apart by their prefix", async () => {
    const trained = await trainWordPiece(course, { size: 5 + 512 + 4 });
    // ##u ##g 20, then ##u ##n 16, h ##ug 15, and p ##un 12.
    assert.deepEqual(vocabulary(trained).slice(-4), ["##ug", "##un", "hug", "pun"]);
    const tokenizer = trainedTokenizer(trained);
    const written = (text: string) => tokenizer.encode(text).input_ids.map((id) => vocabulary(trained)[id]);
    assert.deepEqual(written("Bug hugs"), ["[CLS]", "b", "##ug", "hug", "##s", "[SEP]"]);
    assert.equal(tokenizer.decode(tokenizer.encode("Bug hugs, 中 ok").input_ids), "bug hugs , 中 ok");
  });

  it("are those of a training that recounts everything", () =>
    fc.assert(
      fc.asyncProperty(wordLists, async (words) => {
        const continuing = byteLetters.map((letter) => `##${letter}`);
        const merges = naiveMerges(countsOf(words), {
          first: {
            tokens: [...byteLetters, ...continuing],
            spell: (word) => [...word].map((letter, i) => (i === 0 ? letter : `##${letter}`)),
          },
          join: (a, b) => a + b.slice(2),
          merges: 100,
          minFrequency: 2,
        });
        const expected = new Set(merges.map(([a, b]) => a + b.slice(2)));
        const trained = await trainWordPiece(words, { size: 5 + 512 + 100 });
        assert.deepEqual(vocabulary(trained).slice(5 + 512), [...expected]);
      }),
      seeded,
    ));

  it("keep the marks that are vowels elsewhere, unless asked not to", async () => {
    const decoded = async (stripAccents: boolean) => {
      const tokenizer = trainedTokenizer(await trainWordPiece(english, { size: 600, stripAccents }));
      return tokenizer.decode(tokenizer.encode("Crème กิน").input_ids);
    };
    assert.equal(await decoded(false), "crème กิน");
    assert.equal(await decoded(true), "creme กน");
  });
});

const trainers = { "byte pairs": trainBytePairs, "word pieces": trainWordPiece, unigrams: trainUnigram };

// Scripts of which the corpus has not one letter.
const foreign = [
  "今天天气好，是吗？",
  "สวัสดีครับ",
  "नमस्ते दुनिया",
  "ძალიან კარგი",
  "🙂👩‍🚀",
  "안녕하세요",
  "\u0000\u{10ffff}",
];

for (const [name, train] of Object.entries(trainers)) {
  describe(`a vocabulary of ${name}`, () => {
    const trained = train(english, { size: 700 });
    const unknown = (tokenizer: ReturnType<typeof trainedTokenizer>) =>
      tokenizer.idOf("[UNK]") ?? tokenizer.idOf("<unk>") ?? -1;

    it("knows every script, also of texts without spaces", async () => {
      const tokenizer = trainedTokenizer(await trained);
      for (const text of [...foreign, "ไทย".repeat(200), "x".repeat(1000)]) {
        assert.ok(!tokenizer.encode(text).input_ids.includes(unknown(tokenizer)), text.slice(0, 20));
      }
    });

    it("writes a text of its corpus with fewer tokens than a third of its letters", async () => {
      const tokenizer = trainedTokenizer(await trained);
      const text = english[1]!;
      assert.ok(tokenizer.encode(text).input_ids.length < text.length / 3);
    });

    it("is the same from the same corpus, given at once or as it arrives", async () => {
      async function* arriving() {
        yield* english;
      }
      assert.equal(JSON.stringify(await train(arriving(), { size: 700 })), JSON.stringify(await trained));
    });

    it("is read from its files as it was trained", async () => {
      const directory = await mkdtemp(join(tmpdir(), "millrace-vocabulary-"));
      try {
        await writeTokenizer(directory, await trained);
        const [read, made] = [await readTokenizer(directory), trainedTokenizer(await trained)];
        for (const text of [...english.slice(0, 3), ...foreign]) {
          assert.deepEqual(read.encode(text), made.encode(text));
          assert.equal(read.decode(read.encode(text).input_ids), made.decode(made.encode(text).input_ids));
        }
      } finally {
        await rm(directory, { recursive: true });
      }
    });

    it("is as large as asked for, without a token twice, and refused where it cannot hold the bytes", async () => {
      const size = train === trainWordPiece ? 540 : 280;
      const { model } = (await train(english, { size })).tokenizer as { model: { vocab: object } };
      const tokens = Array.isArray(model.vocab) ? model.vocab.map(([token]) => token) : Object.keys(model.vocab);
      assert.equal(tokens.length, size);
      assert.equal(new Set(tokens).size, size);
      await assert.rejects(train(english, { size: 256 }), /size must be an integer from \d+ .* not 256/);
      await assert.rejects(train(english, { size: 700, minFrequency: 0 }), /minFrequency/);
    });
  });
}

describe("byte pairs and unigrams give back", () => {
  for (const train of [trainBytePairs, trainUnigram]) {
    it(`every text they took: ${train.name}`, async () => {
      const tokenizer = trainedTokenizer(await train(english, { size: 600 }));
      const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.constantFrom(...english, ...foreign));
      fc.assert(
        fc.property(texts, (text) => {
          assert.equal(tokenizer.decode(tokenizer.encode(text).input_ids), text);
        }),
        seeded,
      );
    });
  }
});

describe("words are counted", () => {
  const rules = { normalizer: null, pre_tokenizer: byteLevel };

  it("as the tokenizer cuts whole texts, though they are cut piece by piece", () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(..." \n\ta1'sé,中\u3000"), maxLength: 30 }), async (text) => {
        const cut = text.match(/'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu) ?? [];
        const spelt = cut.map((word) => Array.from(Buffer.from(word), (byte) => byteLetters[byte]).join(""));
        assert.deepEqual(await countWords([text], rules), countsOf(spelt));
      }),
      { ...seeded, numRuns: 300 },
    ));

  it("in bounded memory: when there are too many, the rare ones go", async () => {
    const name = (i: number) => [...String(i)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    function* manyWords() {
      for (let i = 0; i < 3000; i++) yield `common${name(i % 5)} rare${name(i)}`;
    }
    const counts = await countWords(manyWords(), rules, { maxLetters: 300 });
    const letters = [...counts.keys()].reduce((sum, word) => sum + word.length, 0);
    assert.ok(letters > 100 && letters <= 300, `${letters} letters`);
    for (let i = 0; i < 5; i++) assert.equal(counts.get(`common${name(i)}`), 600);
    await assert.rejects(countWords([], rules, { maxLetters: 0 }), /maxLetters/);
  });
});

it("the corpus of the course counts as it says", async () => {
  assert.deepEqual(await countWords(course, { normalizer: null, pre_tokenizer: byteLevel }), courseWords);
});
