/** The noise: its distribution, that a key repeats it, and that without one nothing does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poissonSample, secretRandom } from "../../../../shared/engine/privacy/secretRandom.ts";

const key = new Uint8Array(32).fill(7);

/** The standard normal distribution function (Abramowitz and Stegun 26.2.17, within 1e-7). */
function normalBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = tail.reduceRight((rest, c) => t * (c + rest), 0);
  const above = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
  return x >= 0 ? 1 - above : above;
}

/** Kolmogorov's statistic: the largest distance between two distribution functions, times the root of the length. */
function distance(values: readonly number[], below: (x: number) => number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const apart = sorted.map((x, i) =>
    Math.max(Math.abs(below(x) - i / sorted.length), Math.abs(below(x) - (i + 1) / sorted.length)),
  );
  return Math.max(...apart) * Math.sqrt(sorted.length);
}

describe("secret random numbers", () => {
  it("are normal and uniform, by Kolmogorov's test at a level of one in a thousand", () => {
    const random = secretRandom(key);
    assert.ok(distance([...random.normals(20_001)], normalBelow) < 1.95);
    assert.ok(distance([...random.uniforms(20_000)], (x) => x) < 1.95);
  });

  it("are independent of their neighbours", () => {
    const values = secretRandom(key).normals(20_000);
    for (const lag of [1, 2, 3]) {
      const products = values.subarray(lag).map((value, i) => value * values[i]!);
      const correlation = products.reduce((sum, value) => sum + value, 0) / products.length;
      assert.ok(Math.abs(correlation) < 4 / Math.sqrt(products.length), `lag ${lag}: ${correlation}`);
    }
  });

  it("repeat under a key and differ without one", () => {
    assert.deepEqual(secretRandom(key).normals(5), secretRandom(key).normals(5));
    assert.notDeepEqual(secretRandom().normals(5), secretRandom().normals(5));
    const random = secretRandom(key);
    assert.notDeepEqual(random.normals(5), random.normals(5));
    assert.throws(() => secretRandom(new Uint8Array(16)), /a key has 32 bytes, not 16/);
  });
});

describe("Poisson sampling", () => {
  it("takes each row with its probability, whatever the others do", () => {
    const random = secretRandom(key);
    const [rows, rate, steps] = [400, 0.1, 500];
    const batches = Array.from({ length: steps }, () => poissonSample(rows, rate, random));
    const sizes = batches.map(({ length }) => length);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / steps;
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / steps;
    assert.ok(Math.abs(mean - 40) < 4 * Math.sqrt(36 / steps), `mean ${mean}`);
    // Batches of one size, as from shuffled epochs, would have none.
    assert.ok(variance > 28 && variance < 45, `variance ${variance}`);
    const timesTaken = new Map<number, number>();
    for (const row of batches.flatMap((batch) => [...batch])) timesTaken.set(row, (timesTaken.get(row) ?? 0) + 1);
    assert.equal(timesTaken.size, rows);
    for (const count of timesTaken.values()) assert.ok(Math.abs(count - 50) < 5 * Math.sqrt(45), `${count} times`);
  });

  it("gives rising rows, none or all at the ends of the range", () => {
    const random = secretRandom(key);
    assert.deepEqual([...poissonSample(4, 1, random)], [0, 1, 2, 3]);
    assert.deepEqual([...poissonSample(4, 0, random)], []);
    assert.throws(() => poissonSample(4, 2, random), /sample rate lies in \[0, 1\], not 2/);
  });
});
