/** Principal components against what they must be of rows whose spread is known; tables side by side keep their weights. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  beside,
  centred,
  principal,
  rowLengths,
  timesRows,
  usualLength,
} from "../../../../infra/models/recipes/principal.ts";
import { normals } from "../../../../shared/engine/index.ts";

const rows = 400;
const spread = [3, 0.1, 1];
/** Columns of known spread, about 5. */
const cloud = {
  width: spread.length,
  data: normals(rows * spread.length, { seed: 3, stream: 1 }).map((value, i) => 5 + spread[i % 3]! * value),
};
const variances = ({ width, data }: { width: number; data: Float32Array }) =>
  Array.from({ length: width }, (_, c) => data.reduce((sum, v, i) => sum + (i % width === c ? v * v : 0), 0) / rows);

test("components are of the mean's differences, of most spread first, and no two go together", () => {
  const found = principal(cloud, 2);
  const [first, second] = variances(found);
  assert.ok(Math.abs(first! - 9) < 1 && Math.abs(second! - 1) < 0.2, `${first} ${second}`);
  let together = 0;
  for (let row = 0; row < rows; row++) together += found.data[2 * row]! * found.data[2 * row + 1]!;
  assert.ok(Math.abs(together / rows) < 1e-3);
});

test("about zero the mean stays: it is the first component", () => {
  const [first] = variances(principal(cloud, 1, "zero"));
  assert.ok(first! > 70, `${first}`);
});

test("all components keep every length", () => {
  const whole = centred(cloud, rows);
  const [before, after] = [rowLengths([whole]), rowLengths([principal(cloud, 3)])];
  for (let row = 0; row < rows; row++) assert.ok(Math.abs(before[row]! - after[row]!) < 1e-4);
});

test("tables side by side are as long as their weights", () => {
  const far = timesRows(cloud, new Float64Array(rows).fill(100));
  const both = beside([
    { ...cloud, weight: 1 },
    { ...far, weight: 0.5 },
  ]);
  const part = (from: number) => {
    const data = both.data.filter((_, i) => i % 6 >= from && i % 6 < from + 3);
    return usualLength({ width: 3, data });
  };
  assert.ok(Math.abs(part(0) - 1) < 1e-5 && Math.abs(part(3) - 0.5) < 1e-5);
});
