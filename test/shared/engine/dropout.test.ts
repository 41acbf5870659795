/** Dropout's mask: its rate, its independence, and that the seed alone decides it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  dropout,
  gradients,
  hashName,
  input,
  mul,
  type Node,
  reduceSum,
  type Tensor,
} from "../../../shared/engine/index.ts";
import { evaluate, numbers, randomValues, tensor } from "./run.ts";

const [rows, columns, rate] = [400, 100, 0.25];
const x = input("x", ["batch", "sequence", columns]);
const seed = input("seed", [], "uint32");
const ones = tensor([4, 100, columns], new Float32Array(rows * columns).fill(1));

async function masks(
  nodes: Record<string, Node>,
  value: number,
  values: Tensor = ones,
): Promise<Record<string, number[]>> {
  const results = await evaluate(nodes, { x: values, seed: tensor([], Uint32Array.of(value)) });
  return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, numbers(result)]));
}

const isDropped = (value: number) => value === 0;
const share = (mask: readonly number[]) => mask.filter(isDropped).length / mask.length;
/** How often two masks agree; (1-r)^2 + r^2 where they are independent. */
const agreement = (a: readonly number[], b: readonly number[]) =>
  a.filter((value, i) => isDropped(value) === isDropped(b[i]!)).length / a.length;
const independent = (1 - rate) ** 2 + rate ** 2;

function mix(x: number): number {
  const first = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  const second = Math.imul(first ^ (first >>> 15), 0x846ca68b) >>> 0;
  return (second ^ (second >>> 16)) >>> 0;
}

describe("dropout", () => {
  it("drops the share asked for, in every row and every column, and scales the rest", async () => {
    const { y } = await masks({ y: dropout(x, "place", { rate, seed }) }, 1);
    assert.deepEqual([...new Set(y!)].sort(), [0, Math.fround(1 / (1 - rate))]);
    assert.ok(Math.abs(share(y!) - rate) < 0.01);
    // Five standard deviations of a share of 100 and of 400.
    for (let row = 0; row < rows; row++)
      assert.ok(Math.abs(share(y!.slice(row * columns, (row + 1) * columns)) - rate) < 0.22);
    for (let column = 0; column < columns; column++) {
      assert.ok(Math.abs(share(y!.filter((_, i) => i % columns === column)) - rate) < 0.11);
    }
  });

  it("repeats for a seed, and is independent for another seed, another place and another row", async () => {
    const nodes = {
      a: dropout(x, "a", { rate, seed }),
      again: dropout(x, "a", { rate, seed }),
      b: dropout(x, "b", { rate, seed }),
    };
    const first = await masks(nodes, 7);
    const next = await masks(nodes, 8);
    assert.deepEqual(first.a, first.again);
    assert.deepEqual(first.a, (await masks(nodes, 7)).a);
    for (const other of [
      first.b!,
      next.a!,
      [...first.a!.slice(columns), ...first.a!.slice(0, columns)],
      [...first.a!.slice(1), 1],
    ]) {
      assert.ok(Math.abs(agreement(first.a!, other) - independent) < 0.015, `${agreement(first.a!, other)}`);
    }
  });

  it("has the mask that 32-bit integer arithmetic gives, which is the same on every machine", async () => {
    const { y } = await masks({ y: dropout(x, "place", { rate, seed }) }, 1);
    const salt = mix((1 ^ hashName("place")) >>> 0);
    const expected = y!.map((_, i) => {
      const row = mix((mix(Math.floor(i / columns)) ^ salt) >>> 0);
      return mix((row ^ Math.imul((i % columns) + 1, 0x9e3779b9)) >>> 0) < rate * 2 ** 32;
    });
    assert.deepEqual(y!.map(isDropped), expected);
  });

  it("lets the gradient through where it let the value through", async () => {
    const y = dropout(x, "place", { rate, seed });
    const values = tensor(ones.shape, randomValues(rows * columns, { low: 1, high: 2 }));
    const found = await masks({ y, dx: gradients(reduceSum(mul(y, 2)), [x]).get(x)! }, 3, values);
    assert.deepEqual(found.dx!.map(isDropped), found.y!.map(isDropped));
    assert.deepEqual(new Set(found.dx), new Set([0, 2 * Math.fround(1 / (1 - rate))]));
  });

  it("is no node at all at rate 0, and refuses a rate of 1", () => {
    assert.equal(dropout(x, "place", { rate: 0, seed }), x);
    assert.equal(dropout(x, "place"), x);
    assert.throws(() => dropout(x, "place", { rate: 1, seed }), RangeError);
  });
});
