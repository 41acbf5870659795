/** What labels are called, as knowledge of them: where their names tell rows apart, a head's weights are expected near the names' vectors. */

/** A label's name as one says it: "card_arrival" and "cardArrival" are "card arrival". */
export function spokenName(label: string): string {
  const words = label.replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, " ").replaceAll(/[^\p{L}\p{M}\p{N}']+/gu, " ");
  return words.trim().toLowerCase();
}

/** Rows of variance 1 a column on average. */
interface NamedRows {
  /** float32 [rows, width]. */
  readonly vectors: Float32Array;
  readonly labels: Int32Array;
  /** Of the labels' names, as the base reads them: float32 [classes, width]. */
  readonly names: Float32Array;
  readonly width: number;
}

/**
 * Logits of a row that lies wholly along its label's name: by these it is told whether names say anything, cautiously, and
 * with these weights are expected. Chosen on training rows of public sets, eight of each label, of others of them.
 */
const lead = { asked: 1.25, expected: 5 };

/**
 * Weights [classes, width] that are expected of a head before it sees a row; undefined where the rows are no more probable
 * by their labels' names than without. No row needs to be held out: the names learned from none.
 */
export function expectedWeights({ vectors, labels, names, width }: NamedRows): Float32Array | undefined {
  const along = directions(names, width);
  const asked = lead.asked / Math.sqrt(width);
  const gain = gainBy(
    along.map((value) => asked * value),
    { vectors, labels, width },
  );
  return gain > 0 ? along.map((value) => (lead.expected / Math.sqrt(width)) * value) : undefined;
}

/** Less their mean, of length 1; zeros stay. */
function directions(names: Float32Array, width: number): Float32Array {
  const count = names.length / width;
  const mean = new Float64Array(width);
  for (const [i, value] of names.entries()) mean[i % width]! += value / count;
  const found = names.map((value, i) => value - mean[i % width]!);
  for (let at = 0; at < found.length; at += width) {
    const own = found.subarray(at, at + width);
    const length = Math.hypot(...own);
    if (length > 1e-6) own.set(own.map((value) => value / length));
  }
  return found;
}

/** Nats by which the rows' labels are more probable than if all labels were alike. */
function gainBy(weights: Float32Array, { vectors, labels, width }: Omit<NamedRows, "names">): number {
  const logits = products(vectors, weights, width);
  const classes = weights.length / width;
  let gain = 0;
  for (const [row, label] of labels.entries()) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const total = own.reduce((sum, value) => sum + Math.exp(value), 0);
    gain += own[label]! - Math.log(total / classes);
  }
  return gain;
}

/** [rows, classes] of vectors [rows, width] and weights [classes, width]. */
export function products(vectors: Float32Array, weights: Float32Array, width: number): Float32Array {
  const [rows, classes] = [vectors.length / width, weights.length / width];
  const found = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (let label = 0; label < classes; label++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += weights[label * width + i]! * vectors[row * width + i]!;
      found[row * classes + label] = sum;
    }
  }
  return found;
}
