/** Weights that were tuned whole, as an adapter: exact where its rank suffices, and as near as a rank can be elsewhere. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { type LoraConfig, mergeLora, nearestLora, WeightScope, withLora } from "../../../../shared/engine/index.ts";
import type { Placement } from "../../../../shared/engine/layers/lora.ts";
import { normals } from "../../../../shared/engine/random.ts";

const [inputs, outputs] = [40, 24];
const config: LoraConfig = { rank: 6, alpha: 12, dropout: 0, targets: ["dense"] };
const base = { "dense.weight": normals(inputs * outputs, { seed: 1 }) };

function loraOver(stored: Placement["stored"]) {
  const lora = withLora(new WeightScope(), config, { body: "dense" });
  return { ...lora, placements: [{ path: "dense", inputs, outputs, stored }] };
}

const plus = (change: ArrayLike<number>) => ({
  "dense.weight": base["dense.weight"].map((value, i) => value + change[i]!),
});

/** Root of the sum of squares of what the adapter, merged, is off by. */
function missed(tuned: { "dense.weight": Float32Array }, stored: Placement["stored"]): number {
  const lora = loraOver(stored);
  const merged = mergeLora(base, nearestLora(base, tuned, lora), lora)["dense.weight"]!;
  return Math.hypot(...merged.map((value, i) => value - tuned["dense.weight"][i]!));
}

/** A product of matrices of width `rank`, [rows, columns]. */
function product(rank: number, rows: number, columns: number): number[] {
  const of = (r: number, c: number, seed: number) => Matrix.from1DArray(r, c, normals(r * c, { seed }));
  return of(rows, rank, 2)
    .mmul(of(rank, columns, 3))
    .to1DArray();
}

describe("the nearest adapter", () => {
  it("is the change itself where that has no more than its rank, whichever way a layer is stored", () => {
    for (const stored of ["outputs-first", "inputs-first"] as const) {
      for (const rank of [1, 6]) {
        const shape = stored === "outputs-first" ? ([outputs, inputs] as const) : ([inputs, outputs] as const);
        assert.ok(missed(plus(product(rank, ...shape)), stored) < 1e-3, `${stored}, rank ${rank}`);
      }
    }
  });

  it("misses hardly more of any other change than the best of its rank", () => {
    const change = normals(inputs * outputs, { seed: 4 });
    const { diagonal } = new SingularValueDecomposition(Matrix.from1DArray(outputs, inputs, change), {
      autoTranspose: true,
    });
    const least = Math.hypot(...diagonal.toSorted((a, b) => b - a).slice(config.rank));
    const off = missed(plus(change), "outputs-first");
    assert.ok(off >= 0.999 * least && off < 1.02 * least, `${off} where ${least} is possible`);
  });

  it("is nothing where nothing has changed", () => {
    const adapter = nearestLora(base, base, loraOver("outputs-first"));
    assert.ok(Object.values(adapter).every((values) => values.every(Number.isFinite)));
    assert.ok(missed(base, "outputs-first") === 0);
  });
});
