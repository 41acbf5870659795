/** The layers of language models: values by arithmetic in float64, gradients by finite differences, and what is not seen. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  attention,
  causalMask,
  input,
  type Node,
  paddingMask,
  rmsNorm,
  rotary,
  rotate,
  type Shape,
  type WeightScope,
} from "../../../shared/engine/index.ts";
import { rotaryFrequencies } from "../../../shared/engine/layers/rotaryFrequencies.ts";
import { worstError } from "./finiteDifferences.ts";
import { evaluate, numbers, randomValues, tensor } from "./run.ts";

const ids = input("ids", ["batch", "sequence"], "int32");
const idsFeed = { ids: tensor([2, 3], new Int32Array(6)) };
const grouped = { heads: 4, keyValueHeads: 2, headWidth: 4 };
const turns = (pairing: "half" | "interleaved") => rotary(ids, { width: 4, maxPositions: 8, theta: 100, pairing });

function assertClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i]! - value) < tolerance, `element ${i} is ${actual[i]}, not ${value}`);
  }
}

/** A scope's weight is a parameter; differences need inputs, so the layer reads its weight from one. */
function scopeOver(weight: Node): WeightScope {
  return { get: () => weight } as unknown as WeightScope;
}

describe("gradients agree with finite differences", () => {
  const states: Shape = ["batch", "sequence", 4];

  it("of RMS norm", async () => {
    const build = ({ x, weight }: Record<string, Node>) => rmsNorm(scopeOver(weight!), x!, 4, 1e-2);
    assert.ok((await worstError({ operands: { x: states, weight: [4] }, build })) < 1e-3);
  });

  for (const pairing of ["half", "interleaved"] as const) {
    it(`of a rotation by position, ${pairing}`, async () => {
      const build = ({ x }: Record<string, Node>) => rotate(x!, turns(pairing));
      const operands = { x: ["batch", 2, "sequence", 4] satisfies Shape };
      assert.ok((await worstError({ operands, build, feeds: idsFeed })) < 1e-3);
    });
  }

  it("of causal attention with shared key and value heads", async () => {
    const operands: Record<string, Shape> = {
      query: ["batch", "sequence", 16],
      key: ["batch", "sequence", 8],
      value: ["batch", "sequence", 8],
    };
    const build = ({ query, key, value }: Record<string, Node>) =>
      attention({ query: query!, key: key!, value: value! }, grouped, {
        mask: causalMask(ids),
        rotary: turns("half"),
      });
    assert.ok((await worstError({ operands, build, feeds: idsFeed })) < 1e-3);
  });
});

describe("RMS norm", () => {
  it("divides by the root of the mean square", async () => {
    const build = rmsNorm(scopeOver(input("weight", [2])), input("x", ["batch", 2]), 2, 0.5);
    const feeds = { x: tensor([1, 2], [3, 4]), weight: tensor([2], [1, 2]) };
    const size = Math.sqrt((9 + 16) / 2 + 0.5);
    assertClose(numbers((await evaluate({ build }, feeds)).build), [3 / size, 8 / size]);
  });
});

describe("a rotary embedding", () => {
  const x = input("x", [1, 1, "sequence", 4]);
  const values = randomValues(12, { seed: 3 });
  const feeds = { ids: tensor([1, 3], new Int32Array(3)), x: tensor([1, 1, 3, 4], values) };
  // Pair i turns by position * 100^(-2i/4).
  const angle = (position: number, pair: number) => position / 10 ** pair;
  const partners = {
    half: [
      [0, 2],
      [1, 3],
    ],
    interleaved: [
      [0, 1],
      [2, 3],
    ],
  } as const;

  for (const pairing of ["half", "interleaved"] as const) {
    it(`turns the pairs of its convention: ${pairing}`, async () => {
      const expected = Array.from(values);
      for (let position = 0; position < 3; position++) {
        for (const [pair, [first, second]] of partners[pairing].entries()) {
          const [a, b] = [values[position * 4 + first]!, values[position * 4 + second]!];
          const [cos, sin] = [Math.cos(angle(position, pair)), Math.sin(angle(position, pair))];
          expected[position * 4 + first] = a * cos - b * sin;
          expected[position * 4 + second] = a * sin + b * cos;
        }
      }
      assertClose(numbers((await evaluate({ y: rotate(x, turns(pairing)) }, feeds)).y), expected);
    });
  }

  it("turns slower where a longer context asks for it", () => {
    assert.deepEqual(rotaryFrequencies(4, 100), [1, 0.1]);
    assert.deepEqual(rotaryFrequencies(4, 100, { type: "linear", factor: 2 }), [0.5, 0.05]);
  });

  it("refuses an odd width", () => {
    assert.throws(
      () => rotary(ids, { width: 3, maxPositions: 4, theta: 1, pairing: "half" }),
      /even head width, not 3/,
    );
  });
});

describe("attention", () => {
  const operand = (name: string, width: number) => input(name, ["batch", "sequence", width]);
  const projections = { query: operand("query", 16), key: operand("key", 8), value: operand("value", 8) };
  const feedsOf = (sequence: number, seen: readonly number[]) => ({
    ids: tensor([1, sequence], new Int32Array(sequence)),
    seen: tensor([1, sequence], Int32Array.from(seen)),
    query: tensor([1, sequence, 16], randomValues(sequence * 16, { seed: 1 })),
    key: tensor([1, sequence, 8], randomValues(sequence * 8, { seed: 2 })),
    value: tensor([1, sequence, 8], randomValues(sequence * 8, { seed: 4 })),
  });

  it("gives each group of query heads its own key and value head, and no position a later one", async () => {
    const y = attention(projections, grouped, { mask: causalMask(ids) });
    const feeds = feedsOf(3, [1, 1, 1]);
    assertClose(numbers((await evaluate({ y }, feeds)).y), reference(feeds, grouped));
  });

  it("does not see padding", async () => {
    const mask = paddingMask(input("seen", ["batch", "sequence"], "int32"));
    const y = attention(projections, grouped, { mask });
    const padded = feedsOf(3, [1, 1, 0]);
    const changed = {
      ...padded,
      value: tensor(
        [1, 3, 8],
        (padded.value.data as Float32Array).map((v, i) => (i < 16 ? v : 9)),
      ),
    };
    const [first, second] = [await evaluate({ y }, padded), await evaluate({ y }, changed)];
    assert.deepEqual(numbers(first.y), numbers(second.y));
  });

  it("refuses heads that cannot be shared out", () => {
    const layout = { heads: 4, keyValueHeads: 3, headWidth: 4 };
    assert.throws(() => attention(projections, layout, { mask: causalMask(ids) }), /heads \(4\) must be a multiple/);
  });
});

interface Operands {
  query: { data: unknown };
  key: { data: unknown };
  value: { data: unknown };
}

/** Causal attention of one text of three tokens, element by element in float64. */
function reference(operands: Operands, { heads, keyValueHeads, headWidth }: typeof grouped): number[] {
  const of = (name: keyof Operands) => operands[name].data as Float32Array;
  const at = (name: keyof Operands, count: number, position: number, head: number, i: number) =>
    of(name)[(position * count + head) * headWidth + i]!;
  const result: number[] = [];
  for (let position = 0; position < 3; position++) {
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor((head * keyValueHeads) / heads);
      const features = Array.from({ length: headWidth }, (_, i) => i);
      const weights = Array.from({ length: position + 1 }, (_, other) => {
        const dot = features.reduce(
          (sum, i) => sum + at("query", heads, position, head, i) * at("key", keyValueHeads, other, shared, i),
          0,
        );
        return Math.exp(dot / Math.sqrt(headWidth));
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const i of features) {
        result.push(
          weights.reduce(
            (sum, weight, other) => sum + (weight / total) * at("value", keyValueHeads, other, shared, i),
            0,
          ),
        );
      }
    }
  }
  return result;
}
