/** The vectors that texts are to have: what a sentence encoder says of them, beside what their words say. */
import { directions, dot, type Rows } from "./principal.ts";

export interface TargetSource {
  /** Token ids of each text, special ones left out. */
  readonly texts: readonly ArrayLike<number>[];
  /** [tokens, width]: what words say. */
  readonly table: Rows;
  /** What the encoder says of each text. */
  readonly encoded: Rows;
  /** Of the words' part, root mean square length beside that of the encoder's. */
  readonly weight: number;
  /** Columns of the targets, at most: there are no more than both sources have. */
  readonly count: number;
}

/**
 * Of how good or bad words are, on top of their part: the table's last column, of which the encoder knows little. Chosen by
 * eight rows, and by thousands, of each label of the training rows of five English sets, judged by others of them: with the
 * encoder's own vectors a mean of 70.2 and 82.6 % were right, with means of words 66.4 and 78.8, and with both so, the words
 * at 0.7, 72.4 and 83.1.
 */
const polarity = 3;
/** Means, lengths and directions are those of so many texts. */
const sampled = 20_000;

/** [texts, count], of a mean of about zero and variances that fall: the principal components of both. */
export function contextTargets(source: TargetSource): Rows {
  const { texts } = source;
  const of = Math.min(sampled, texts.length);
  const width = source.encoded.width + source.table.width;
  const count = Math.min(source.count, width);
  const own = new Float64Array(width);
  const sample = new Float32Array(of * width);
  for (let row = 0; row < of; row++) sample.set(read(source, row, own), row * width);
  const { mean, factor } = scaling({ width, data: sample }, source);
  for (let i = 0; i < sample.length; i++) sample[i] = (sample[i]! - mean[i % width]!) * factor[i % width]!;
  const axes = directions({ width, data: sample }, count, of);
  const data = new Float32Array(texts.length * count);
  for (let row = 0; row < texts.length; row++) {
    read(source, row, own);
    for (let i = 0; i < width; i++) own[i] = (own[i]! - mean[i]!) * factor[i]!;
    for (const [i, axis] of axes.entries()) data[row * count + i] = dot(own, axis);
  }
  return { width: count, data };
}

/** What the encoder says of a text, and then the mean of its words; zeros for a text without any. */
function read({ texts, table, encoded }: TargetSource, row: number, into: Float64Array): Float64Array {
  into.set(encoded.data.subarray(row * encoded.width, (row + 1) * encoded.width));
  const words = into.subarray(encoded.width).fill(0);
  const ids = texts[row]!;
  for (let t = 0; t < ids.length; t++) {
    const at = ids[t]! * table.width;
    for (let i = 0; i < table.width; i++) words[i]! += table.data[at + i]! / ids.length;
  }
  return into;
}

/** What is taken from each column, and what it is then multiplied by. */
function scaling({ width, data }: Rows, { encoded, weight }: TargetSource) {
  const count = data.length / width;
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! / count;
  for (let i = 0; i < data.length; i++) square[i % width]! += (data[i]! - mean[i % width]!) ** 2 / count;
  const lengthOf = (from: number, to?: number) =>
    Math.sqrt(square.subarray(from, to).reduce((sum, value) => sum + value, 0));
  const [encoder, words] = [1 / lengthOf(0, encoded.width), weight / lengthOf(encoded.width)];
  const factor = new Float64Array(width).fill(encoder, 0, encoded.width).fill(words, encoded.width);
  factor[width - 1]! *= polarity;
  return { mean, factor };
}
