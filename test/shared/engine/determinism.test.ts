/**
 * What bit-for-bit repeatable training rests on: kernels that give the same bytes in every run and every new session.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  gather,
  gelu,
  gradients,
  input,
  layerNormalization,
  matmul,
  mul,
  type Node,
  reduceSum,
  softmax,
  type Tensor,
  toOnnx,
} from "../../../shared/engine/index.ts";
import { bytesOf, pickFeeds, randomValues, tensor, withSession } from "./run.ts";

/** Fails unless every output has the same bytes in each of `runs` runs of each of `sessions` sessions. */
async function assertRepeats(
  outputs: Record<string, Node>,
  feeds: Record<string, Tensor>,
  { sessions = 3, runs = 10 } = {},
) {
  const model = toOnnx({ outputs });
  let first: Record<string, Buffer> | undefined;
  for (let s = 0; s < sessions; s++) {
    await withSession(model, async (session) => {
      for (let r = 0; r < runs; r++) {
        const results = await session.run(pickFeeds(session, feeds));
        first ??= Object.fromEntries(
          Object.entries(results).map(([name, value]) => [name, Buffer.from(bytesOf(value))]),
        );
        for (const [name, value] of Object.entries(results)) {
          assert.ok(bytesOf(value).equals(first[name]!), `${name} differs in session ${s}, run ${r}`);
        }
      }
    });
  }
  return first!;
}

describe("bit for bit, with two threads, over runs and sessions", () => {
  it("the gradient of an embedding adds repeated rows, in order", async () => {
    const [rows, width, tokens] = [3000, 64, 4096];
    const table = input("table", [rows, width]);
    const dy = input("dy", ["tokens", width]);
    const ids = input("ids", ["tokens"], "int32");
    const gradient = gradients(reduceSum(mul(gather(table, ids), dy)), [table]).get(table)!;
    const values = randomValues(tokens * width);
    // Nine tokens in ten fall on a dozen rows, as the commonest words do.
    const rowsOf = Int32Array.from({ length: tokens }, (_, i) => (i % 10 === 0 ? (i * 31) % rows : (i * 7) % 12));
    const feeds = {
      table: tensor([rows, width], new Float32Array(rows * width)),
      dy: tensor([tokens, width], values),
      ids: tensor([tokens], rowsOf),
    };
    const found = await assertRepeats({ gradient }, feeds, { runs: 30 });
    const expected = new Float32Array(rows * width);
    rowsOf.forEach((row, i) => {
      for (let j = 0; j < width; j++) expected[row * width + j]! += values[i * width + j]!;
    });
    assert.ok(found.gradient!.equals(Buffer.from(expected.buffer)), "no update is lost, and the order is the tokens'");
  });

  it("large products and sums", async () => {
    const a = input("a", [512, 384]);
    const b = input("b", [384, 640]);
    const y = matmul(a, b);
    const found = gradients(reduceSum(mul(y, y)), [a, b]);
    const feeds = {
      a: tensor([512, 384], randomValues(512 * 384)),
      b: tensor([384, 640], randomValues(384 * 640, { seed: 3 })),
    };
    await assertRepeats(
      { y, total: reduceSum(y), columns: reduceSum(y, { axes: [0] }), "d:a": found.get(a)!, "d:b": found.get(b)! },
      feeds,
    );
  });

  it("attention, normalisation and activation, with their gradients", async () => {
    const x = input("x", ["batch", 4, 48, 48]);
    const weight = input("weight", [48]);
    const y = layerNormalization(gelu(matmul(softmax(x), x)), weight, weight);
    const found = gradients(reduceSum(mul(y, x)), [x, weight]);
    const feeds = { x: tensor([8, 4, 48, 48], randomValues(8 * 4 * 48 * 48)), weight: tensor([48], randomValues(48)) };
    await assertRepeats({ y, "d:x": found.get(x)!, "d:weight": found.get(weight)! }, feeds);
  });
});
