/** The unigram model against every cut of every word, enumerated. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteTrie } from "../../../../shared/engine/tokenizers/byteTrie.ts";
import { bestCut } from "../../../../shared/engine/tokenizers/unigramLattice.ts";
import {
  type ByteWords,
  bytePieces,
  digamma,
  improve,
  prune,
  uniform,
} from "../../../../shared/engine/tokenizers/unigramModel.ts";
import { seedPieces } from "../../../../shared/engine/tokenizers/unigramSeeds.ts";
import { assertClose } from "../run.ts";
import { allCuts, naiveExpectations } from "./naiveTraining.ts";

const seeded = { seed: 20240711, numRuns: 100 };
const course = new Map(Object.entries({ hug: 10, pug: 5, pun: 12, bun: 4, hugs: 5 }));

function wordsOf(counts: ReadonlyMap<string, number>): ByteWords {
  const starts = [0];
  for (const word of counts.keys()) starts.push(starts.at(-1)! + Buffer.byteLength(word));
  const bytes = Uint8Array.from(Buffer.from([...counts.keys()].join("")));
  return { bytes, starts: Int32Array.from(starts), counts: Float64Array.from(counts.values()) };
}

const words = fc.array(fc.stringMatching(/^[ab]{1,6}$/), { minLength: 1, maxLength: 6 });
const pieces = fc.uniqueArray(fc.stringMatching(/^[ab]{2,4}$/), { maxLength: 6 });
const scores = fc.array(fc.double({ min: -8, max: -0.1, noNaN: true }), { minLength: 8, maxLength: 8 });

describe("the likeliest cut", () => {
  it("is the best of all", () =>
    fc.assert(
      fc.property(fc.stringMatching(/^[ab]{1,8}$/), pieces, scores, (word, others, values) => {
        const all = ["a", "b", ...others];
        const bytes = Buffer.from(word);
        const lattice = { trie: new ByteTrie(all), scores: Float64Array.from(all, (_, i) => values[i]!) };
        const score = (cut: readonly number[]) => cut.reduce((sum, piece) => sum + values[piece]!, 0);
        const found = bestCut(lattice, { bytes, start: 0, end: bytes.length });
        assert.equal(found.map((piece) => all[piece]).join(""), word);
        assertClose([score(found)], [Math.max(...allCuts(word, all).map(score))], 1e-9);
      }),
      seeded,
    ));

  it("without a piece is made of others, and is none where there are none", () => {
    const lattice = { trie: new ByteTrie(["a", "ab"]), scores: Float64Array.of(-1, -1) };
    const bytes = Buffer.from("ab");
    assert.deepEqual(bestCut(lattice, { bytes, start: 0, end: 2 }), [1]);
    assert.deepEqual(bestCut(lattice, { bytes, start: 0, end: 2 }, 1), []);
  });
});

describe("a round of expectation and maximisation", () => {
  it("expects each piece as often as all cuts together say", () =>
    fc.assert(
      fc.property(words, pieces, (list, others) => {
        const counts = new Map(list.map((word) => [word, list.filter((other) => other === word).length * 3]));
        const model = uniform([...bytePieces, ...others]);
        const expected = naiveExpectations(counts, [...model.pieces], model.scores);
        const found = improve(model, wordsOf(counts));
        const kept = [...model.pieces.keys()].filter((piece) => piece < 256 || expected[piece]! >= 0.5);
        assert.deepEqual(
          found.pieces,
          kept.map((piece) => model.pieces[piece]),
        );
        const floored = kept.map((piece) => Math.max(expected[piece]!, 0.5));
        const total = digamma(floored.reduce((sum, value) => sum + value, 0));
        assertClose(
          [...found.scores],
          floored.map((value) => digamma(value) - total),
          1e-9,
        );
      }),
      seeded,
    ));

  it("uses the digamma function (Abramowitz and Stegun, table 6.1)", () => {
    assertClose([0.5, 1, 2, 10].map(digamma), [-1.96351002602, -0.5772156649, 0.4227843351, 2.25175258907], 1e-11);
  });
});

describe("pruning", () => {
  it("gives up first what the corpus never uses, then what others replace most cheaply", () => {
    const counts = new Map([...course, ["xyz", 1]]);
    let model = uniform([...bytePieces, "ug", "un", "hug", "xyz", "zz"]);
    model = { ...model, scores: Float64Array.from(model.pieces, (piece) => -10 + piece.length) };
    const left = (size: number) => prune(model, wordsOf(counts), 256 + size).pieces.slice(256);
    // Nothing is cut with "zz"; "xyz" serves one word, "un" sixteen.
    assert.deepEqual(left(4), ["ug", "un", "hug", "xyz"]);
    assert.deepEqual(left(3), ["ug", "un", "hug"]);
    assert.deepEqual(prune(model, wordsOf(counts), 256).pieces, bytePieces);
  });
});

describe("seeds", () => {
  it("are all frequent substrings of two letters and more, most covered first", () => {
    const found = seedPieces(wordsOf(course), 100, 2);
    const expected = new Map<string, number>();
    for (const [word, count] of course) {
      for (let from = 0; from < word.length; from++) {
        for (let to = from + 2; to <= word.length; to++) {
          const piece = word.slice(from, to);
          expected.set(piece, (expected.get(piece) ?? 0) + count * piece.length);
        }
      }
    }
    assert.deepEqual(new Set(found), new Set(expected.keys()));
    const order = found.map((piece) => expected.get(piece)!);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => b - a),
    );
    assert.deepEqual(found.slice(0, 2), ["hug", "ug"]);
  });

  it("do not begin or end within a character", () => {
    const found = seedPieces(wordsOf(new Map([["中文", 5]])), 100, 2).map((piece) =>
      Buffer.from(piece, "latin1").toString(),
    );
    assert.deepEqual(found, ["中文", "中", "文"]);
  });
});
