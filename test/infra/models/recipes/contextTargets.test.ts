/** The vectors that texts are to have: both sources in them at their weights, the likeness of texts kept. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contextTargets } from "../../../../infra/models/recipes/contextTargets.ts";
import { normals } from "../../../../shared/engine/index.ts";

const [tokens, wordColumns, encoderColumns, count] = [30, 5, 8, 400];
const table = { width: wordColumns, data: normals(tokens * wordColumns, { seed: 1, stream: 1, deviation: 2 }) };
const encoded = {
  width: encoderColumns,
  data: normals(count * encoderColumns, { seed: 2, stream: 2, deviation: 0.1 }),
};
const texts = Array.from({ length: count }, (_, row) => [row % tokens, (7 * row + 3) % tokens, (11 * row) % tokens]);
const whole = wordColumns + encoderColumns;

/** What the targets are to be alike by: both parts about their means, 1 : 0.7, the last column of the words threefold. */
function plain(): number[][] {
  const words = texts.map((ids) =>
    Array.from({ length: wordColumns }, (_, i) =>
      ids.reduce((sum, id) => sum + table.data[id * wordColumns + i]! / 3, 0),
    ),
  );
  const said = texts.map((_, row) => [...encoded.data.subarray(row * encoderColumns, (row + 1) * encoderColumns)]);
  const about = (rows: number[][], weight: number) => {
    const means = rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]! / count, 0));
    const own = rows.map((row) => row.map((value, i) => value - means[i]!));
    const length = Math.sqrt(own.flat().reduce((sum, value) => sum + value * value, 0) / count);
    return own.map((row) => row.map((value) => (weight * value) / length));
  };
  const [first, second] = [about(said, 1), about(words, 0.7)];
  return first.map((row, i) => [...row, ...second[i]!.slice(0, -1), 3 * second[i]!.at(-1)!]);
}

const product = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

describe("the vectors that texts are to have", () => {
  it("are the two sources turned, so that with all columns every product of two texts is kept", () => {
    const { width, data } = contextTargets({ texts, table, encoded, weight: 0.7, count: whole });
    assert.equal(width, whole);
    const rows = plain();
    const own = (row: number) => data.subarray(row * width, (row + 1) * width);
    for (const [a, b] of [
      [0, 0],
      [1, 2],
      [17, 311],
      [399, 30],
    ] as const) {
      assert.ok(Math.abs(product(own(a), own(b)) - product(rows[a]!, rows[b]!)) < 1e-4, `${a} ${b}`);
    }
  });

  it("begin with what differs most, about a mean of zero", () => {
    const { data } = contextTargets({ texts, table, encoded, weight: 0.7, count: 6 });
    const columns = Array.from({ length: 6 }, (_, i) => data.filter((_, at) => at % 6 === i));
    for (const column of columns)
      assert.ok(
        Math.abs(
          product(
            column,
            column.map(() => 1),
          ),
        ) < 1e-2,
      );
    const variances = columns.map((column) => product(column, column));
    assert.deepEqual(
      variances,
      variances.toSorted((a, b) => b - a),
    );
    assert.ok(variances[0]! > 2 * variances[5]!);
  });

  it("take a text without words for one whose words say nothing", () => {
    const some = contextTargets({ texts: [...texts.slice(1), []], table, encoded, weight: 0.7, count: 6 });
    assert.ok(some.data.every(Number.isFinite));
  });
});
