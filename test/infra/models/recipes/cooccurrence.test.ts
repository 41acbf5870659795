/** Words that stand beside the same words are alike; the vectors against the singular vectors of the matrix written out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { neighbourVectors, type Pairs } from "../../../../infra/models/recipes/cooccurrence.ts";
import { dot, type Rows } from "../../../../infra/models/recipes/principal.ts";
import { mixSeeds } from "../../../../shared/engine/random.ts";

const ids = 24;
const unknown = 23;

/** Who stands left of whom: ids of one third of the words mostly before ids of the next; nobody beside the last one. */
function madeUp(): Pairs {
  const cells = [...Array((ids - 1) ** 2).keys()].map((i) => [Math.floor(i / (ids - 1)), i % (ids - 1)] as const);
  const often = cells.map(([a, b], i) => ((b - a + 3) % 3 === 1 ? 8 : 1) * (1 + (mixSeeds(5, i) % 1000) / 1000));
  const total = often.reduce((sum, value) => sum + value, 0);
  return {
    first: Int32Array.from(cells, ([a]) => a),
    second: Int32Array.from(cells, ([, b]) => b),
    share: Float64Array.from(often, (value) => value / total),
  };
}

const row = ({ width, data }: Rows, id: number) => data.subarray(id * width, (id + 1) * width);

test("words of one kind are alike, others are not, and one that stands beside nobody is nothing", () => {
  const found = neighbourVectors(madeUp(), { ids, width: 3, seed: 1 });
  for (const [a, b] of [
    [0, 3],
    [1, 19],
    [2, 14],
  ] as const) {
    const same = dot(row(found, a), row(found, b));
    const other = dot(row(found, a), row(found, b + 1));
    assert.ok(same > 0.5 && same > other + 0.3, `${a} ${b}: ${same}, beside ${other}`);
    assert.ok(Math.abs(dot(row(found, a), row(found, a)) - 1) < 1e-5);
  }
  assert.deepEqual([...row(found, unknown)], [0, 0, 0]);
});

/** Of words with those right of them, then those left: log(p(a, b) / (p(a) p'(b))) where that is positive, p' to the power of 0.75. */
function information({ first, second, share }: Pairs): Matrix {
  const side = (own: Int32Array, other: Int32Array) => {
    const sums = (of: Int32Array) => {
      const found = new Float64Array(ids);
      for (const [i, value] of share.entries()) found[of[i]!]! += value;
      return found;
    };
    const smoothed = sums(other).map((value) => value ** 0.75);
    const all = smoothed.reduce((sum, value) => sum + value, 0);
    const matrix = Matrix.zeros(ids, ids);
    for (const [i, value] of share.entries()) {
      const expected = sums(own)[own[i]!]! * (smoothed[other[i]!]! / all);
      matrix.set(own[i]!, other[i]!, Math.max(0, Math.log(value / expected)));
    }
    return matrix;
  };
  const [right, left] = [side(first, second), side(second, first)];
  return new Matrix(right.to2DArray().map((values, id) => [...values, ...left.getRow(id)]));
}

test("are the singular vectors of the words' information, by the roots of their values", () => {
  const width = 3;
  const found = neighbourVectors(madeUp(), { ids, width, seed: 2 });
  const { leftSingularVectors, diagonal } = new SingularValueDecomposition(information(madeUp()), {
    autoTranspose: true,
  });
  const expected = Array.from({ length: ids }, (_, id) =>
    Float64Array.from({ length: width }, (_, k) => leftSingularVectors.get(id, k) * Math.sqrt(diagonal[k]!)),
  );
  // A vector's sign is nobody's: products of rows do not know it.
  for (let a = 0; a < unknown; a++) {
    for (let b = 0; b < a; b++) {
      const cosine = dot(expected[a]!, expected[b]!) / (Math.hypot(...expected[a]!) * Math.hypot(...expected[b]!));
      const own = dot(row(found, a), row(found, b));
      assert.ok(Math.abs(own - cosine) < 0.02, `${a} ${b}: ${own}, not ${cosine}`);
    }
  }
});
