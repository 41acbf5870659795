/** Principal components of word vectors: what most of their differences lie along (Pearson 1901). */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/** Row-major [rows, width]. */
export interface Rows {
  readonly width: number;
  readonly data: Float32Array;
}

/** Less the mean of the first `of` rows. */
export function centred({ width, data }: Rows, of: number): Rows {
  const mean = new Float64Array(width);
  for (let i = 0; i < of * width; i++) mean[i % width]! += data[i]! / of;
  return { width, data: data.map((value, i) => value - mean[i % width]!) };
}

/** The first `count` directions of the first `of` rows about zero, most variance first: [count][width], of length 1 each. */
export function directions({ width, data }: Rows, count: number, of: number): Float64Array[] {
  const products = Array.from({ length: width }, () => new Float64Array(width));
  for (let row = 0; row < of; row++) {
    const own = data.subarray(row * width, (row + 1) * width);
    for (let a = 0; a < width; a++) {
      const [value, sums] = [own[a]!, products[a]!];
      for (let b = 0; b <= a; b++) sums[b]! += value * own[b]!;
    }
  }
  const covariance = new Matrix(products);
  for (let a = 0; a < width; a++) for (let b = 0; b < a; b++) covariance.set(b, a, covariance.get(a, b));
  // Ascending by variance.
  const { eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  return Array.from({ length: count }, (_, i) => Float64Array.from(eigenvectorMatrix.getColumn(width - 1 - i)));
}

/** Rows by their first `count` principal components, of all rows: about their mean, or about zero where that is to stay. */
export function principal(rows: Rows, count: number, about: "mean" | "zero" = "mean"): Rows {
  const of = rows.data.length / rows.width;
  const whole = about === "mean" ? centred(rows, of) : rows;
  const axes = directions(whole, count, of);
  const found = new Float32Array(of * count);
  for (let row = 0; row < of; row++) {
    const own = whole.data.subarray(row * rows.width, (row + 1) * rows.width);
    for (const [i, axis] of axes.entries()) found[row * count + i] = dot(own, axis);
  }
  return { width: count, data: found };
}

/** Tables of as many rows each, side by side: each at root mean square length 1, times its weight. */
export function beside(parts: readonly (Rows & { readonly weight: number })[]): Rows {
  const count = parts[0]!.data.length / parts[0]!.width;
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const data = new Float32Array(count * width);
  let column = 0;
  for (const part of parts) {
    const scale = part.weight / usualLength(part);
    for (let i = 0; i < part.data.length; i++) {
      const row = Math.floor(i / part.width);
      data[row * width + column + (i % part.width)] = scale * part.data[i]!;
    }
    column += part.width;
  }
  return { width, data };
}

/** Tables of one width, one below the other. */
export function below(parts: readonly Rows[]): Rows {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { width: parts[0]!.width, data };
}

/** Of each row over all tables. */
export function rowLengths(parts: readonly Rows[]): Float64Array {
  const count = parts[0]!.data.length / parts[0]!.width;
  return Float64Array.from({ length: count }, (_, row) =>
    Math.hypot(...parts.map(({ width, data }) => Math.hypot(...data.subarray(row * width, (row + 1) * width)))),
  );
}

export function timesRows({ width, data }: Rows, factors: ArrayLike<number>): Rows {
  return { width, data: data.map((value, i) => value * factors[Math.floor(i / width)]!) };
}

/** Root of the mean square of the rows' lengths. */
export function usualLength({ width, data }: Rows): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / (data.length / width));
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
