/** Vectors of words by which words they stand beside (Levy and Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization"). */
import { hashName, normals } from "../../../shared/engine/index.ts";
import { principal, type Rows, rowLengths, timesRows } from "./principal.ts";

/** Pairs of words by their ids, and how often they occur, of all pairs. */
export interface Pairs {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
}

export interface VectorShape {
  /** How many ids there are. */
  readonly ids: number;
  readonly width: number;
  readonly seed: number;
}

/** Columns beyond those asked for, and rounds, by which the first ones are found well (Halko, Martinsson and Tropp 2011). */
const [spare, rounds] = [10, 4];
/** What of a singular value stays in the vectors. */
const power = 0.5;

/**
 * [ids, width]: the first singular vectors of words' positive pointwise mutual information with those right of them and, side
 * by side with it, those left of them. Rows have length 1, or 0 where nothing is known of a word.
 */
export function neighbourVectors({ first, second, share }: Pairs, { ids, width, seed }: VectorShape): Rows {
  const sides = [information({ first, second, share }, ids), information({ first: second, second: first, share }, ids)];
  const count = width + spare;
  const sumOver = (partOf: (cells: Cells, side: number) => Float32Array): Rows => {
    const sum = { width: count, data: new Float32Array(ids * count) };
    for (const [side, cells] of sides.entries()) addProduct(cells, partOf(cells, side), sum);
    return sum;
  };
  let found = sumOver((_, side) => normals(ids * count, { seed, stream: hashName(`side ${side}`) }));
  for (let round = 0; round < rounds; round++) {
    const basis = columnsOfLength(principal(found, count, "zero"), () => 1);
    found = sumOver((cells) => {
      const back = { width: count, data: new Float32Array(ids * count) };
      addProduct(transposed(cells), basis.data, back);
      return back.data;
    });
  }
  // By now a column is as long as its singular value's square.
  const vectors = columnsOfLength(principal(found, width, "zero"), (length) => length ** (power / 2));
  return timesRows(
    vectors,
    rowLengths([vectors]).map((length) => (length > 0 ? 1 / length : 0)),
  );
}

/** A matrix [ids, ids] by its cells that are not 0. */
interface Cells {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** Of neighbours' shares, as in word2vec: so what is rare is not all that counts (Levy, Goldberg and Dagan 2015). */
const smoothing = 0.75;

function information({ first, second, share }: Pairs, ids: number): Cells {
  const [own, beside] = [new Float64Array(ids), new Float64Array(ids)];
  for (const [i, value] of share.entries()) {
    own[first[i]!]! += value;
    beside[second[i]!]! += value;
  }
  const smoothed = beside.map((value) => value ** smoothing);
  const all = smoothed.reduce((sum, value) => sum + value, 0);
  const values = share.map((value, i) => Math.log((value * all) / (own[first[i]!]! * smoothed[second[i]!]!)));
  const kept = Int32Array.from(values.keys().filter((i) => values[i]! > 0));
  return {
    rows: kept.map((i) => first[i]!),
    columns: kept.map((i) => second[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
  };
}

const transposed = ({ rows, columns, values }: Cells): Cells => ({ rows: columns, columns: rows, values });

/** Adds `cells` times `right`, both of `sum`'s width. */
function addProduct({ rows, columns, values }: Cells, right: Float32Array, { width, data }: Rows): void {
  for (const [i, value] of values.entries()) {
    const [to, from] = [rows[i]! * width, columns[i]! * width];
    for (let c = 0; c < width; c++) data[to + c]! += value * right[from + c]!;
  }
}

/** Each column made as long as `lengthOf` says, given what it has. */
function columnsOfLength({ width, data }: Rows, lengthOf: (length: number) => number): Rows {
  const squares = new Float64Array(width);
  for (let i = 0; i < data.length; i++) squares[i % width]! += data[i]! ** 2;
  const factors = squares.map((square) => (square > 0 ? lengthOf(Math.sqrt(square)) / Math.sqrt(square) : 0));
  return { width, data: data.map((value, i) => value * factors[i % width]!) };
}
