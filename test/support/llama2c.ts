/**
 * An independent reference for Llama checkpoints: llama2.c's files, read and computed element by element in float64.
 * After https://github.com/karpathy/llama2.c/blob/master/run.c: `forward`, `encode` and `decode`.
 */
import { readFileSync } from "node:fs";

type Vector = Float64Array;

interface Weights {
  dim: number;
  hiddenDim: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  vocabulary: number;
  maxLength: number;
  next(length: number): Float64Array;
}

function open(path: string): Weights {
  const bytes = readFileSync(path);
  const [dim, hiddenDim, layers, heads, keyValueHeads, vocabulary, maxLength] = Array.from({ length: 7 }, (_, i) =>
    bytes.readInt32LE(4 * i),
  ) as [number, number, number, number, number, number, number];
  let at = 28;
  const next = (length: number) => {
    const values = Float64Array.from({ length }, (_, i) => bytes.readFloatLE(at + 4 * i));
    at += 4 * length;
    return values;
  };
  // A negative vocabulary size says that the output layer is stored apart; the model at hand ties it.
  if (vocabulary < 0) throw new Error("this reference reads tied output layers only");
  return { dim, hiddenDim, layers, heads, keyValueHeads, vocabulary, maxLength, next };
}

export interface ReferenceLlama {
  /** Logits after the token at that position; positions come in order, as keys and values are remembered. */
  forward(token: number, position: number): Vector;
}

/** The model of a `.bin` file of version 0. */
export function openReference(path: string): ReferenceLlama {
  const w = open(path);
  const { dim, hiddenDim, layers, heads, keyValueHeads, vocabulary } = w;
  const width = dim / heads;
  const kv = keyValueHeads * width;
  const table = w.next(vocabulary * dim);
  const [norm1, wq, wk, wv, wo, norm2, w1, w2, w3] = [
    w.next(layers * dim),
    w.next(layers * dim * dim),
    w.next(layers * dim * kv),
    w.next(layers * dim * kv),
    w.next(layers * dim * dim),
    w.next(layers * dim),
    w.next(layers * dim * hiddenDim),
    w.next(layers * dim * hiddenDim),
    w.next(layers * dim * hiddenDim),
  ];
  const finalNorm = w.next(dim);
  const keys = Array.from({ length: layers }, (): Vector[] => []);
  const values = Array.from({ length: layers }, (): Vector[] => []);

  const attend = (layer: number, query: Vector): Vector => {
    const mixed = new Float64Array(dim);
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor((head * keyValueHeads) / heads) * width;
      const scores = keys[layer]!.map((key) => {
        let dot = 0;
        for (let i = 0; i < width; i++) dot += query[head * width + i]! * key[shared + i]!;
        return dot / Math.sqrt(width);
      });
      const weights = softmax(scores);
      for (const [position, value] of values[layer]!.entries()) {
        for (let i = 0; i < width; i++) mixed[head * width + i]! += weights[position]! * value[shared + i]!;
      }
    }
    return mixed;
  };

  return {
    forward(token, position) {
      let x: Vector = table.slice(token * dim, (token + 1) * dim);
      for (let layer = 0; layer < layers; layer++) {
        const normal = rmsNorm(x, norm1!, layer);
        keys[layer]![position] = rotate(multiply(wk!, normal, layer, kv), position, width);
        values[layer]![position] = multiply(wv!, normal, layer, kv);
        const mixed = attend(layer, rotate(multiply(wq!, normal, layer, dim), position, width));
        x = sum(x, multiply(wo!, mixed, layer, dim));
        const inner = rmsNorm(x, norm2!, layer);
        const gate = multiply(w1!, inner, layer, hiddenDim);
        const up = multiply(w3!, inner, layer, hiddenDim);
        const gated = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
        x = sum(x, multiply(w2!, gated, layer, dim));
      }
      return multiply(table, rmsNorm(x, finalNorm, 0), 0, vocabulary);
    },
  };
}

const sum = (a: Vector, b: Vector) => a.map((value, i) => value + b[i]!);

function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

function rmsNorm(x: Vector, weights: Vector, layer: number): Vector {
  const square = x.reduce((total, value) => total + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(square + 1e-5);
  return x.map((value, i) => value * scale * weights[layer * x.length + i]!);
}

/** The matrix of one layer, [outputs, inputs] row by row, times x. */
function multiply(weights: Vector, x: Vector, layer: number, outputs: number): Vector {
  const from = layer * outputs * x.length;
  return Float64Array.from({ length: outputs }, (_, row) => {
    let dot = 0;
    for (let i = 0; i < x.length; i++) dot += weights[from + row * x.length + i]! * x[i]!;
    return dot;
  });
}

/** Neighbouring features turn together, by position * 10000^(-i/width). */
function rotate(x: Vector, position: number, width: number): Vector {
  const turned = x.slice();
  for (let i = 0; i < x.length; i += 2) {
    const angle = position / 10000 ** ((i % width) / width);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    turned[i] = x[i]! * cos - x[i + 1]! * sin;
    turned[i + 1] = x[i]! * sin + x[i + 1]! * cos;
  }
  return turned;
}

export interface ReferenceTokenizer {
  encode(text: string): number[];
  /** The text a token adds after another. */
  piece(previous: number, token: number): string;
}

/** The vocabulary of a `tok*.bin` file: for each token a score, a length in bytes, and the bytes. */
export function openReferenceTokenizer(path: string, size: number): ReferenceTokenizer {
  const bytes = readFileSync(path);
  const tokens: string[] = [];
  const scores: number[] = [];
  let at = 4;
  for (let i = 0; i < size; i++) {
    scores.push(bytes.readFloatLE(at));
    const length = bytes.readInt32LE(at + 4);
    tokens.push(bytes.toString("utf8", at + 8, at + 8 + length));
    at += 8 + length;
  }
  return {
    encode(text) {
      const ids = [1, tokens.indexOf(" ")];
      for (const character of text) {
        const id = tokens.indexOf(character);
        if (id >= 0) ids.push(id);
        else for (const byte of Buffer.from(character)) ids.push(byte + 3);
      }
      for (;;) {
        let [bestScore, bestId, bestAt] = [-1e10, -1, -1];
        for (let i = 0; i + 1 < ids.length; i++) {
          const id = tokens.indexOf(tokens[ids[i]!]! + tokens[ids[i + 1]!]!);
          if (id >= 0 && scores[id]! > bestScore) [bestScore, bestId, bestAt] = [scores[id]!, id, i];
        }
        if (bestAt < 0) return ids;
        ids.splice(bestAt, 2, bestId);
      }
    },
    piece(previous, token) {
      const text = tokens[token]!;
      const byte = /^<0x([0-9A-F]{2})>$/.exec(text)?.[1];
      if (byte) return String.fromCharCode(Number.parseInt(byte, 16));
      return previous === 1 && text.startsWith(" ") ? text.slice(1) : text;
    },
  };
}
