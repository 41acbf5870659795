/** Joined products against the products they are made of: values, gradients, and what is left alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  add,
  gradients,
  initialize,
  initializeLora,
  input,
  linear,
  matmul,
  mul,
  type Node,
  normals,
  parameter,
  reduceSum,
  swapLast,
  toOnnx,
  topologicalOrder,
  WeightScope,
  withLora,
} from "../../../shared/engine/index.ts";
import { joinNarrowProducts } from "../../../shared/engine/narrowProducts.ts";
import { createSession } from "../../../shared/engine/runtime/session.ts";

const width = 24;
const x = input("x", ["batch", "sequence", width]);
const products = (root: Node) => topologicalOrder([root]).filter(({ op }) => op === "MatMul");

/** Three layers of one input and one of another, of which all but "plain" are adapted, by ranks of 3. */
function adaptedLoss() {
  const base = new WeightScope();
  const config = { rank: 3, alpha: 6, dropout: 0, targets: ["query", "value", "outer"] };
  const lora = withLora(base, config, { body: "body" });
  const layer = (name: string, from: Node) => linear(lora.scope.scope(`body.${name}`), from, width, width);
  const mixed = add(mul(layer("query", x), layer("value", x)), layer("plain", x));
  const outer = layer("outer", mixed);
  const data = { ...initialize(base.parameters, 1), ...initializeLora(lora, 2) };
  // B starts as zeros, of which A would get no gradient.
  for (const name of Object.keys(data).filter((name) => name.includes("lora_B"))) {
    data[name] = normals(data[name]!.length, { seed: 3, deviation: 0.3 });
  }
  return { loss: reduceSum(mul(outer, outer)), parameters: lora.adapter.parameters, data };
}

async function lossAndGradients(loss: Node, parameters: readonly Node[], initializers: Record<string, Float32Array>) {
  const found = gradients(loss, parameters);
  const outputs = { loss, ...Object.fromEntries([...found].map(([{ name }, node]) => [`d:${name}`, node])) };
  const session = await createSession(toOnnx({ outputs, initializers }), { threads: 1 });
  const results = await session.run({ x: { shape: [2, 3, width], data: normals(6 * width, { seed: 4 }) } });
  await session.release();
  return results;
}

describe("products with narrow matrices", () => {
  test("have the same values and gradients when joined", async () => {
    const { loss, parameters, data } = adaptedLoss();
    const apart = await lossAndGradients(loss, parameters, data);
    const together = await lossAndGradients(joinNarrowProducts(loss), parameters, data);
    assert.deepEqual(Object.keys(together), Object.keys(apart));
    for (const [name, { data: expected }] of Object.entries(apart)) {
      const largest = Math.max(...(expected as Float32Array).map(Math.abs));
      assert.ok(largest > 0, `${name} is zero`);
      for (const [at, value] of (together[name]!.data as Float32Array).entries()) {
        assert.ok(Math.abs(value - (expected[at] as number)) <= 1e-5 * largest, `${name} differs at ${at}`);
      }
    }
  });

  test("are joined where they share their input: one product less for query and value", () => {
    const { loss } = adaptedLoss();
    assert.equal(products(joinNarrowProducts(loss)).length, products(loss).length - 1);
  });

  test("stay as they are where a matrix is wide, alone, or no parameter", () => {
    const [wide, one] = [parameter("wide", [17, width]), parameter("one", [4, width])];
    const computed = mul(parameter("two", [4, width]), 2);
    const sums = [wide, one, computed].map((matrix) => reduceSum(matmul(x, swapLast(matrix))));
    const loss = sums.reduce(add);
    assert.equal(joinNarrowProducts(loss), loss);
  });
});
