/** What is served of a base: how near each precision comes, how large it is, and that no text depends on its neighbours. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encoder,
  encoderInputs,
  initialize,
  input,
  type Model,
  matmul,
  type Node,
  parameter,
  swapLast,
  type Tensor,
  toOnnx,
  topologicalOrder,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import { toInt4 } from "../../../../shared/engine/quantization/int4Matrix.ts";
import { precisions } from "../../../../shared/engine/quantization/precision.ts";
import { servingModel } from "../../../../shared/engine/quantization/serving.ts";
import { createSession } from "../../../../shared/engine/runtime/session.ts";
import { bytesOf, numbers, randomValues, tensor, withSession } from "../run.ts";

const inputs = encoderInputs();

/** Hidden states of random weights, by the sizes of an encoder; tokens' vectors are of the size that training gives. */
function statesOf(config: { layers: number; hidden: number; heads: number; intermediate: number; vocabulary: number }) {
  const scope = new WeightScope();
  const states = encoder(scope, inputs, { ...config, maxPositions: 64 });
  return { outputs: { states }, initializers: initialize(scope.parameters, 3, 0.04) };
}

const tiny = statesOf({ layers: 2, hidden: 64, heads: 4, intermediate: 128, vocabulary: 96 });
const miniLm = statesOf({ layers: 6, hidden: 384, heads: 12, intermediate: 1536, vocabulary: 2000 });

/** Texts of one length, from number `first` on; every third is cut short by padding. */
function texts(first: number, count: number, length: number): Record<string, Tensor> {
  const each = (value: (text: number, place: number) => number) =>
    tensor(
      [count, length],
      Int32Array.from({ length: count * length }, (_, at) => value(first + Math.floor(at / length), at % length)),
    );
  const seen = (text: number, place: number) => Number(text % 3 > 0 || place < length / 2);
  return {
    input_ids: each((text, place) => seen(text, place) * ((text * 31 + place * place * 7 + place) % 96)),
    attention_mask: each(seen),
  };
}

const statesWith = (model: Model, feeds: Record<string, Tensor>) =>
  withSession(toOnnx(model), async (session) => (await session.run(feeds)).states!);

function cosine(a: readonly number[], b: readonly number[]): number {
  const product = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

const opsOf = (model: Model) => new Set(topologicalOrder(Object.values(model.outputs)).map(({ op }) => op));

describe("a text's answer", () => {
  const all = texts(0, 17, 12);
  const rowsOf = ({ data, shape }: Tensor) =>
    Array.from({ length: shape[0]! }, (_, row) =>
      data.subarray((row * data.length) / shape[0]!, ((row + 1) * data.length) / shape[0]!),
    );

  for (const precision of precisions) {
    it(`is the same bit for bit alone and among others, in ${precision}`, async () => {
      const session = await createSession(toOnnx(servingModel(tiny, precision)));
      const expected = rowsOf((await session.run(all)).states!);
      for (const count of [1, 2, 5, 16]) {
        for (let first = 0; first + count <= 17; first += count) {
          const found = rowsOf((await session.run(texts(first, count, 12))).states!);
          for (const [i, row] of found.entries())
            assert.deepEqual(row, expected[first + i], `text ${first + i} of ${count}`);
        }
      }
      await session.release();
    });
  }

  it("is a number where there is nothing to round", async () => {
    const x = input("x", ["batch", 64]);
    const model = {
      outputs: { states: matmul(x, parameter("w", [64, 64])) },
      initializers: { w: randomValues(64 * 64) },
    };
    const feeds = {
      x: tensor(
        [2, 64],
        Float32Array.from({ length: 128 }, (_, at) => (at < 64 ? 0 : 1e-30)),
      ),
    };
    for (const precision of precisions) {
      const found = numbers(await statesWith(servingModel(model, precision), feeds));
      assert.ok(
        found.every((value) => Math.abs(value) < 1e-20),
        precision,
      );
    }
  });
});

describe("a base's precisions", () => {
  // By how much less than 1 the cosine of a text's states with the exact ones may be; measured: a third of this, or less.
  const bounds = { float32: 0, int8: 3e-3, int4: 6e-2 };
  // Bytes of a weight at most, scales and what is not rounded (biases, norms) included.
  const sizes = [
    { name: "a tiny encoder", model: tiny, bytes: { float32: 4, int8: 1.3, int4: 1 } },
    { name: "an encoder of MiniLM's size", model: miniLm, bytes: { float32: 4, int8: 1.03, int4: 0.7 } },
  ];

  for (const { name, model, bytes } of sizes) {
    it(`come near to float32 in ${name}, in less room`, async () => {
      const feeds = texts(0, 4, 12);
      const exact = numbers(await statesWith(model, feeds));
      const weights = Object.values(model.initializers).reduce((total, { length }) => total + length, 0);
      for (const precision of precisions) {
        const served = servingModel(model, precision);
        const distance = 1 - cosine(numbers(await statesWith(served, feeds)), exact);
        assert.ok(distance <= bounds[precision] + 1e-12, `${precision} is off by ${distance}`);
        const size = Object.values(served.initializers).reduce((total, data) => total + data.byteLength, 0) / weights;
        assert.ok(size <= bytes[precision], `${precision} takes ${size} bytes a weight`);
      }
    });
  }

  it("are made by rounding vectors, tables and blocks", () => {
    const int8 = opsOf(servingModel(tiny, "int8"));
    assert.deepEqual(
      [int8.has("QuantizeLinear"), int8.has("DynamicQuantizeLinear"), int8.has("MatMulNBits")],
      [true, false, false],
    );
    const rounded = topologicalOrder(Object.values(servingModel(tiny, "int8").outputs));
    const count = (op: string) => rounded.filter((node: Node) => node.op === op).length;
    assert.deepEqual(
      [count("QuantizeLinear"), count("MatMulIntegerToFloat")],
      [2 * 4, 2 * 6],
      "query, key and value share one",
    );
    const int4 = opsOf(servingModel(tiny, "int4"));
    assert.deepEqual([int4.has("MatMulNBits"), int4.has("MatMulIntegerToFloat")], [true, false]);
    assert.deepEqual(servingModel(tiny, "float32").outputs, tiny.outputs);
  });

  it("need the runtime's own operators only where they say so", () => {
    for (const precision of ["int8", "int4"] as const) {
      const { outputs, initializers, domains } = servingModel(tiny, precision);
      assert.deepEqual(domains, ["com.microsoft"]);
      assert.throws(
        () => toOnnx({ outputs, initializers }),
        /MatMul(NBits|IntegerToFloat) .* is of com\.microsoft, not/,
      );
    }
    assert.ok(!Buffer.from(toOnnx(servingModel(tiny, "float32"))).includes("com.microsoft"));
  });
});

describe("a matrix as 4-bit blocks", () => {
  const [rows, columns] = [80, 96];
  const matrix = randomValues(rows * columns, { seed: 4, low: -0.5, high: 1 });

  it("multiplies as the matrix does, or as its transpose, with a last block that is not full", async () => {
    const feeds = { x: tensor([3, rows], randomValues(3 * rows, { seed: 5 })) };
    const x = input("x", ["batch", rows]);
    const turned = Float32Array.from(matrix, (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]!);
    const plain = { outputs: { states: matmul(x, parameter("w", [rows, columns])) }, initializers: { w: matrix } };
    const swapped = {
      outputs: { states: matmul(x, swapLast(parameter("w", [columns, rows]))) },
      initializers: { w: turned },
    };
    const [exact, one, other] = [
      await statesWith(plain, feeds),
      await statesWith(servingModel(plain, "int4"), feeds),
      await statesWith(servingModel(swapped, "int4"), feeds),
    ];
    assert.ok(cosine(numbers(one), numbers(exact)) > 0.99);
    assert.ok(bytesOf(one).equals(bytesOf(other)));
  });

  it("holds zero exactly, and the ends of each block to within a step", () => {
    const block = Float32Array.from({ length: 32 }, (_, at) => (at === 0 ? -1 : at === 1 ? 2 : 0));
    const { values, scales, zeroPoints } = toInt4(block, [32, 1], { block: 32, turned: false });
    const [scale, zero] = [scales.data[0] as number, zeroPoints.data[0] as number];
    const found = Array.from(
      block,
      (_, at) => scale * (((values.data[at >> 1] as number) >> (4 * (at & 1))) & 15) - scale * zero,
    );
    assert.ok(Math.abs(found[0]! + 1) <= 0.2 && Math.abs(found[1]! - 2) <= 0.2, `${found.slice(0, 2)}`);
    assert.deepEqual(new Set(found.slice(2)), new Set([0]));
  });
});
