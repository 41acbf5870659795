/**
 * Open-gram, a trigram model of Chinese news and forums, as Debian's `sunpinyin-data` holds it (CC BY-SA 3.0): how often words
 * occur, and which stand beside each other. Two of SunPinyin's files, little-endian: the words by their ids, behind a trie of
 * their sounds; and a model whose probabilities are places in a table.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pairs } from "./cooccurrence.ts";
import { unpackDebian } from "./debianPackage.ts";
import type { Place } from "./english.ts";

const openGram = { name: "sunpinyin-data", version: "0.1.22+20170109-2" };

export interface WordPairs {
  /** By id; "" where an id is no word's. */
  readonly words: readonly string[];
  /** Of all words of a text, by id. */
  readonly shares: Float64Array;
  /** Of two neighbours, as they stand; what was seldom is left out. */
  readonly neighbours: Pairs;
}

/** Fetched where it is not there yet. */
export function readOpenGram({ packages, tell }: Pick<Place, "packages" | "tell">): WordPairs {
  const root = unpackDebian(packages, openGram, tell);
  const read = (name: string) => {
    const [path] = globSync(`usr/lib/*/sunpinyin/data/${name}`, { cwd: root });
    if (!path) throw new Error(`${root} has no ${name}`);
    return readFileSync(join(root, path));
  };
  return wordPairs(read("pydict_sc.bin"), read("lm_sc.t3g"));
}

/** Of an id that stands for a text's edge, a number and the like. */
const noWord = 0;

export function wordPairs(dictionary: Buffer, model: Buffer): WordPairs {
  const { words: single, pairs } = levelsOf(model);
  // A level's last node is a mark behind the others.
  const own = single.ids.subarray(0, -1);
  const ids = own.reduce((most, id) => Math.max(most, id), 0) + 1;
  const shares = new Float64Array(ids);
  for (const [i, id] of own.entries()) if (id !== noWord) shares[id] = single.chances[i]!;
  const [left, right, share]: [number[], number[], number[]] = [[], [], []];
  for (const [i, first] of own.entries()) {
    for (let at = single.children[i]!; at < single.children[i + 1]!; at++) {
      const second = pairs.ids[at]!;
      if (first === noWord || second === noWord) continue;
      left.push(first);
      right.push(second);
      share.push(shares[first]! * pairs.chances[at]!);
    }
  }
  const neighbours = { first: Int32Array.from(left), second: Int32Array.from(right), share: Float64Array.from(share) };
  return { words: wordsOf(dictionary, ids), shares, neighbours };
}

/** Words in UTF-32, a zero behind each; how many there are, and where they start, is said in the file's second and third number. */
function wordsOf(file: Buffer, ids: number): string[] {
  const [count, start] = [file.readUInt32LE(4), file.readUInt32LE(8)];
  const letters = new Uint32Array(Uint8Array.from(file.subarray(start)).buffer);
  const words = new Array<string>(ids).fill("");
  for (let id = 0, at = 0; id < Math.min(count, ids); id++) {
    const end = letters.indexOf(0, at);
    words[id] = String.fromCodePoint(...letters.subarray(at, end));
    at = end + 1;
  }
  return words;
}

/** How many places the tables of probabilities and of back-off weights have. */
const places = { probability: 2 ** 16, backOff: 2 ** 14 };
const bytesPerNode = 12;

interface Level {
  readonly ids: Uint32Array;
  /** Of a node's word, given those on the way to it. */
  readonly chances: Float32Array;
  /** Where a node's children start on the next level. */
  readonly children: Uint32Array;
}

/**
 * The model: its order n, whether it holds logarithms, the sizes of its n + 1 levels, the two tables, and the levels: the root's,
 * that of words, that of pairs, and so on. A node is 96 bits: word 18, back-off 14, probability 16, children 16, place of the
 * shorter history 23 and its level 2, children's upper 7.
 */
function levelsOf(file: Buffer): { words: Level; pairs: Level } {
  const order = file.readUInt32LE(0);
  if (order < 3 || file.readUInt32LE(4) !== 0) {
    throw new Error("the model is none of trigrams with plain probabilities");
  }
  const sizes = Array.from({ length: order + 1 }, (_, level) => file.readUInt32LE(8 + 4 * level));
  const table = 8 + 4 * sizes.length;
  const chance = (place: number) => file.readFloatLE(table + 4 * place);
  const start = table + 4 * (places.probability + places.backOff);
  const level = (n: number): Level => {
    const [from, count] = [start + bytesPerNode * (n === 1 ? sizes[0]! : sizes[0]! + sizes[1]!), sizes[n]!];
    const word = (i: number, k: number) => file.readUInt32LE(from + bytesPerNode * i + 4 * k);
    return {
      ids: Uint32Array.from({ length: count }, (_, i) => word(i, 0) & 0x3ffff),
      chances: Float32Array.from({ length: count }, (_, i) => chance(word(i, 1) & 0xffff)),
      children: Uint32Array.from({ length: count }, (_, i) => ((word(i, 2) >>> 25) << 16) | (word(i, 1) >>> 16)),
    };
  };
  return { words: level(1), pairs: level(2) };
}
