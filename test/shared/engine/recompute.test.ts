/** Recomputed activations: the same gradients in the same bits, and less memory on a real session. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  causalCrossEntropy,
  classifier,
  crossEntropy,
  encoderInputs,
  gradients,
  initialize,
  input,
  matmul,
  mul,
  type Node,
  parameter,
  reduceSum,
  type Tensor,
  tanh,
  tinyEncoder,
  topologicalOrder,
  WeightScope,
} from "../../../shared/engine/index.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../shared/engine/models/pretrained.ts";
import { layerBoundaries } from "../../../shared/engine/recompute.ts";
import { tensorsOf } from "../../../shared/engine/weights/tensors.ts";
import { measurePeak } from "./memory/measured.ts";
import { tinyModel } from "./models/tinyModels.ts";
import { bytesOf, evaluate, randomValues, tensor } from "./run.ts";

const ids = (shape: number[], below: number) =>
  tensor(shape, Int32Array.from(randomValues(shape[0]! * shape[1]!, { low: 1, high: below }), Math.floor));

const feeds: Record<string, Tensor> = {
  input_ids: ids([3, 9], 40),
  attention_mask: tensor([3, 9], new Int32Array(27).fill(1)),
  dropout_seed: tensor([], Uint32Array.of(5)),
};

function encoderLoss(scope: WeightScope): Node {
  const config = { ...tinyEncoder, layers: 3, hidden: 32, heads: 2, intermediate: 64, vocabulary: 60, labels: 4 };
  const noise = { rate: 0.2, seed: input("dropout_seed", [], "uint32") };
  return crossEntropy(classifier(scope, encoderInputs(), config, noise), input("labels", ["batch"], "int32"));
}

function causalLoss(scope: WeightScope): Node {
  const { output } = buildModel(tinyModel("llama"), { head: "causal" }, { inputs: textInputs(), scope });
  return causalCrossEntropy(output, input("labels", ["batch", "sequence"], "int32"));
}

const cases = {
  "an encoder, dropout included": { loss: encoderLoss, labels: tensor([3], Int32Array.of(0, 3, 1)) },
  "a causal model": { loss: causalLoss, labels: ids([3, 9], 40) },
};

describe("gradients with recomputed layers are those without, bit for bit", () => {
  for (const [name, { loss: build, labels }] of Object.entries(cases)) {
    it(`of ${name}`, async () => {
      const scope = new WeightScope();
      const loss = build(scope);
      const weights = tensorsOf(scope.parameters, initialize(scope.parameters, 3, 0.3));
      const boundaries = layerBoundaries(loss);
      const run = async (options: { boundaries?: readonly Node[] }) => {
        const found = gradients(loss, scope.parameters, options);
        const outputs = Object.fromEntries([...found].map(([{ name }, node]) => [`d:${name}`, node]));
        const size = topologicalOrder(Object.values(outputs)).length;
        return { size, values: await evaluate({ loss, ...outputs }, { ...feeds, labels, ...weights }) };
      };
      const [held, recomputed] = [await run({}), await run({ boundaries })];
      assert.ok(recomputed.size > held.size, "nothing is computed again");
      for (const [output, value] of Object.entries(held.values)) {
        assert.ok(bytesOf(value).equals(bytesOf(recomputed.values[output]!)), `${output} differs`);
      }
    });
  }

  it("of values that several segments share, whatever the boundaries", async () => {
    const w = ["a", "b", "c"].map((name) => parameter(name, [6, 6]));
    const x = input("x", ["batch", 6]);
    const shared = tanh(matmul(x, w[0]!));
    const first = mul(tanh(matmul(shared, w[1]!)), shared);
    const second = add(tanh(matmul(first, w[2]!)), shared);
    const loss = reduceSum(mul(second, second));
    const values = { x: tensor([4, 6], randomValues(24)), ...weightsOf(w) };
    const run = (boundaries?: readonly Node[]) => {
      const found = gradients(loss, w, { boundaries });
      return evaluate(Object.fromEntries(w.map((node) => [`d:${node.name}`, found.get(node)!])), values);
    };
    const expected = await run();
    for (const boundaries of [[first], [second], [shared, first], [second, first, shared], []]) {
      for (const [name, value] of Object.entries(await run(boundaries))) {
        assert.deepEqual(value, expected[name], `${name} with ${boundaries.length} boundaries`);
      }
    }
  });
});

const weightsOf = (nodes: readonly Node[]) =>
  Object.fromEntries(nodes.map(({ name }, i) => [name!, tensor([6, 6], randomValues(36, { seed: i + 2 }))]));

describe("boundaries", () => {
  it("lie between the layers, found by the names of the weights", () => {
    const loss = encoderLoss(new WeightScope());
    const hidden = layerBoundaries(loss).filter(({ type }) => type.shape.at(-1) === 32);
    // The embeddings, and the first two of three layers.
    assert.equal(hidden.length, 3);
  });

  it("are refused where the loss does not depend on them, or no layer has a number", () => {
    const [x, w] = [input("x", ["batch", 2]), parameter("w", [2, 2])];
    const loss = reduceSum(matmul(x, w));
    assert.throws(() => gradients(loss, [w], { boundaries: [tanh(x)] }), /does not depend on the boundary Tanh/);
    assert.throws(() => layerBoundaries(loss), /no numbered layers/);
  });
});

describe("on a session in a process of its own", () => {
  it("a step with recomputed layers peaks far lower", async () => {
    const shape = { model: "encoder", batch: 2, sequence: 384, steps: 1 } as const;
    const [held, recomputed] = [await measurePeak(shape), await measurePeak({ ...shape, recompute: true })];
    assert.equal(recomputed.loss, held.loss);
    assert.ok(recomputed.measured < 0.65 * held.measured, `${recomputed.measured} against ${held.measured} bytes`);
  });
});
