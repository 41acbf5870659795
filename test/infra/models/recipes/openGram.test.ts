/** A word list and a model of pairs, written here byte by byte, are read as what they say; what is no such model is refused. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { unpackDebian } from "../../../../infra/models/recipes/debianPackage.ts";
import { wordPairs } from "../../../../infra/models/recipes/openGram.ts";

/** Words in UTF-32 behind a head of four numbers: nodes, words, where words start, and what is not read here. */
function dictionaryOf(words: readonly string[]): Buffer {
  const letters = words.flatMap((word) => [...[...word].map((letter) => letter.codePointAt(0)!), 0]);
  return Buffer.from(Uint32Array.from([7, words.length, 16, 0, ...letters]).buffer);
}

interface Node {
  readonly id: number;
  /** Place of its probability in the table. */
  readonly place: number;
  readonly child: number;
}

const node = ({ id, place, child }: Node) => [
  // Bits that are somebody else's are set, so that reading them would be seen.
  (id | (0x2aaa << 18)) >>> 0,
  (place | ((child & 0xffff) << 16)) >>> 0,
  (0x155555 | ((child >>> 16) << 25)) >>> 0,
];

function modelOf(order: number, levels: readonly (readonly Node[])[], probabilities: readonly number[]): Buffer {
  const sizes = [...levels.map(({ length }) => length), 1];
  const table = new Float32Array(2 ** 16 + 2 ** 14);
  table.set(probabilities);
  return Buffer.concat([
    Buffer.from(Uint32Array.from([order, 0, ...sizes]).buffer),
    Buffer.from(table.buffer),
    Buffer.from(Uint32Array.from(levels.flat().flatMap(node)).buffer),
    Buffer.alloc(8),
  ]);
}

const words = ["", "，", "银行", "𠮷野"];
const levels = [
  [
    { id: 0, place: 0, child: 0 },
    { id: 0, place: 0, child: 3 },
  ],
  [
    { id: 1, place: 1, child: 0 },
    { id: 2, place: 2, child: 1 },
    { id: 3, place: 3, child: 3 },
    { id: 99, place: 0, child: 3 },
  ],
  [
    { id: 2, place: 2, child: 0 },
    { id: 0, place: 3, child: 0 },
    { id: 3, place: 1, child: 0 },
    { id: 98, place: 0, child: 0 },
  ],
] as const;
const probabilities = [1, 0.5, 0.25, 0.125];

describe("open-gram's files", () => {
  it("say how often words occur, and which stand beside each other", () => {
    const found = wordPairs(dictionaryOf(words), modelOf(3, levels, probabilities));
    assert.deepEqual(found.words, words);
    assert.deepEqual([...found.shares], [0, 0.5, 0.25, 0.125]);
    const { first, second, share } = found.neighbours;
    // A pair with what is no word is left out.
    assert.deepEqual([...first], [1, 2]);
    assert.deepEqual([...second], [2, 3]);
    assert.deepEqual([...share], [0.5 * 0.25, 0.25 * 0.5]);
  });

  it("find children beyond what 16 bits can count", () => {
    const many = 70_000;
    const pairs = Array.from({ length: many + 1 }, (_, i) => ({ id: i < many - 1 ? 0 : 2, place: 1, child: 0 }));
    const single = [
      { id: 1, place: 1, child: 0 },
      { id: 2, place: 1, child: many - 1 },
      { id: 0, place: 0, child: many },
    ];
    const { neighbours } = wordPairs(dictionaryOf(words), modelOf(3, [levels[0], single, pairs], probabilities));
    assert.deepEqual([[...neighbours.first], [...neighbours.second]], [[2], [2]]);
  });

  it("are refused where they hold no trigrams", () => {
    const bigrams = modelOf(2, levels, probabilities);
    assert.throws(() => wordPairs(dictionaryOf(words), bigrams), /the model is none of trigrams/);
  });
});

it("a package that Debian does not have is named", () => {
  const packages = mkdtempSync(join(tmpdir(), "millrace-debian-"));
  const missing = { name: "millrace-no-such-package", version: "1" };
  try {
    assert.throws(
      () => unpackDebian(packages, missing, () => {}),
      /apt-get download -qq millrace-no-such-package=1 failed: ./,
    );
  } finally {
    rmSync(packages, { recursive: true });
  }
});
