/** Frozen matrices as int8: what they compute, what they share, what stays exact, and what is learned over them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  carryOver,
  crossEntropy,
  gelu,
  gradients,
  initialize,
  initializeLora,
  input,
  linear,
  type Model,
  matmul,
  mul,
  type Node,
  newName,
  parameter,
  reduceSum,
  sgd,
  swapLast,
  type Tensor,
  toLoopOnnx,
  toOnnx,
  topologicalOrder,
  trainingStep,
  WeightScope,
  withLora,
} from "../../../../shared/engine/index.ts";
import { int8Model, int8Step } from "../../../../shared/engine/quantization/frozenInt8.ts";
import { toInt8 } from "../../../../shared/engine/quantization/int8Matrix.ts";
import { keepWorseThan, productErrors } from "../../../../shared/engine/quantization/productErrors.ts";
import { bytesOf, numbers, pickFeeds, randomValues, tensor, withSession } from "../run.ts";
import { mediumModel } from "./mediumModel.ts";

const count = (nodes: readonly Node[], op: string) => topologicalOrder(nodes).filter((node) => node.op === op).length;
const run = (model: Model, feeds: Record<string, Tensor>) =>
  withSession(toOnnx(model), (session) => session.run(pickFeeds(session, feeds)));

/** The size of the difference relative to what is expected, both as root mean squares. */
function relativeError(found: Tensor | undefined, expected: Tensor | undefined): number {
  const [a, b] = [numbers(found), numbers(expected)];
  const square = (values: number[]) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(a.map((value, i) => value - b[i]!)) / square(b));
}

describe("a matrix as int8", () => {
  const matrix = Float32Array.of(1, -0.25, 0.5, 0, 64, 0.5);
  const shape = [2, 3] as const;

  it("has a scale for each row or each column", () => {
    const rows = toInt8(matrix, shape, { per: "row", turned: false });
    assert.deepEqual([...rows.scales], [1 / 64, 1]);
    assert.deepEqual([...rows.values], [64, -16, 32, 0, 64, 1]);
    const columns = toInt8(matrix, shape, { per: "column", turned: false });
    assert.deepEqual([...columns.scales], [1 / 64, 1, 1 / 128]);
    assert.deepEqual([...columns.values], [64, 0, 64, 0, 64, 64]);
  });

  it("may be stored as its transpose", () => {
    const { values, scales } = toInt8(matrix, shape, { per: "row", turned: true });
    assert.deepEqual([...values], [64, 0, -16, 64, 32, 1]);
    assert.deepEqual([...scales], [1 / 64, 1]);
  });

  it("may be of zeros", () => {
    const { values, scales } = toInt8(new Float32Array(6), shape, { per: "row", turned: false });
    assert.deepEqual([[...values], [...scales]], [Array(6).fill(0), [0, 0]]);
  });
});

describe("a graph with its frozen matrices as int8", () => {
  const x = input("x", ["batch", "sequence", 96]);
  const [down, up, small] = [parameter("down", [64, 96]), parameter("up", [64, 128]), parameter("small", [96, 8])];
  const hidden = gelu(matmul(x, swapLast(down)));
  const outputs = { y: matmul(hidden, up), narrow: matmul(x, small) };
  const target = { ...outputs, dx: gradients(reduceSum(mul(outputs.y, outputs.y)), [x]).get(x)! };
  const data = {
    down: randomValues(64 * 96, { seed: 2 }),
    up: randomValues(64 * 128, { seed: 3 }),
    small: randomValues(96 * 8, { seed: 4 }),
  };
  const feeds = { x: tensor([3, 5, 96], randomValues(3 * 5 * 96, { seed: 5 })) };

  it("computes about the same, forward and in the gradient of the input", async () => {
    const model = int8Model({ outputs: target, initializers: data });
    const roots = Object.values(model.outputs);
    assert.equal(count(roots, "MatMulInteger"), 4);
    assert.equal(count(roots, "MatMul"), 1, "a narrow matrix stays as it is");
    const [found, expected] = [await run(model, feeds), await run({ outputs: target, initializers: data }, feeds)];
    for (const name of ["y", "dx"]) {
      const error = relativeError(found[name], expected[name]);
      assert.ok(error > 1e-4 && error < 0.03, `${name} is off by ${error}`);
    }
    assert.deepEqual(found.narrow, expected.narrow);
    const floats = Object.entries(model.initializers).filter(([, values]) => values instanceof Float32Array);
    assert.deepEqual(
      floats.map(([name]) => name).filter((name) => !name.endsWith(":scales")),
      ["small"],
    );
  });

  it("rounds what several matrices multiply once", () => {
    const other = parameter("other", [96, 64]);
    const both = { y: add(matmul(x, swapLast(down)), matmul(x, other)) };
    const model = int8Model({ outputs: both, initializers: { down: data.down, other: randomValues(96 * 64) } });
    assert.equal(count(Object.values(model.outputs), "DynamicQuantizeLinear"), 1);
    assert.equal(count(Object.values(model.outputs), "MatMulInteger"), 2);
  });

  it("leaves alone what is trained, what has no data, and what it is told to keep", () => {
    const quantized = (model: Model, keep?: (name: string) => boolean) =>
      count(Object.values(int8Model(model, { keep }).outputs), "MatMulInteger");
    assert.equal(quantized({ outputs }), 0);
    assert.equal(quantized({ outputs, initializers: { up: data.up } }), 1);
    assert.equal(
      quantized({ outputs, initializers: data }, (name) => name === "up"),
      1,
    );
  });

  it("finds by a batch which matrices had better stay float32", async () => {
    // One feature is a thousand times as large as the others and counts for nothing: steps of its size drown the rest.
    const wild = randomValues(3 * 5 * 96, { seed: 6 });
    for (let at = 0; at < wild.length; at += 96) wild[at] = 1000;
    const insensitive = data.down.map((value, at) => (at % 96 === 0 ? 0 : value));
    const model = { outputs, initializers: { ...data, down: insensitive } };
    const judge = async (x: Tensor) => run(productErrors(model), { x });
    const errors = { ...(await judge(feeds.x)), ...(await judge(tensor([3, 5, 96], wild))) };
    assert.ok(numbers(errors["error:down"])[0]! > 0.5 && numbers(errors["error:up"])[0]! < 0.03);
    const [calm, careful] = [await judge(feeds.x), errors].map((found) => keepWorseThan(0.05, found));
    assert.deepEqual([calm!("down"), calm!("up")], [false, false]);
    assert.deepEqual([careful!("down"), careful!("up"), careful!("small")], [true, false, false]);
  });
});

describe("an adapter over int8 matrices", () => {
  const steps = 12;
  const model = mediumModel();
  const base = new WeightScope();
  const config = { rank: 4, alpha: 8, dropout: 0, targets: ["attention.self.query", "attention.self.value"] };
  const lora = withLora(base, config, { body: "bert" });
  const { output } = model.build(lora.scope);
  const step = trainingStep({
    loss: crossEntropy(output, input("labels", ["batch"], "int32")),
    parameters: lora.adapter.parameters,
    optimizer: sgd({ learningRate: input("learning_rate", []) }),
  });
  const frozen = initialize(base.parameters, 5, 0.15);
  const adapter = Object.fromEntries(
    lora.adapter.parameters.map(({ name, type }): [string, Tensor] => {
      return [name!, tensor(type.shape as number[], initializeLora(lora, 6)[name!]!)];
    }),
  );
  const feeds = {
    ...model.feeds,
    labels: tensor([8], Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1)),
    learning_rate: tensor([], [0.05]),
  };
  const quantized = int8Step(step, frozen);

  async function losses(model: Model): Promise<{ losses: number[]; carried: Record<string, Tensor> }> {
    return withSession(toOnnx(model), async (session) => {
      let carried: Record<string, Tensor> = { ...step.initialState, ...adapter };
      const found: number[] = [];
      for (let i = 0; i < steps; i++) {
        const results = await session.run({ ...feeds, ...carried });
        found.push(numbers(results.loss)[0]!);
        carried = carryOver(step, results);
      }
      return { losses: found, carried };
    });
  }

  it("learns as it does over float32", async () => {
    assert.equal(count(Object.values(quantized.step.outputs), "MatMulInteger"), 13 + 13 - 3, "forward and backward");
    const int8 = await losses({ outputs: quantized.step.outputs, initializers: quantized.initializers });
    const exact = await losses({ outputs: step.outputs, initializers: frozen });
    assert.ok(exact.losses.at(-1)! < 0.6 * exact.losses[0]!, `${exact.losses}`);
    for (const [i, loss] of int8.losses.entries()) {
      assert.ok(
        Math.abs(loss - exact.losses[i]!) < 0.03 * exact.losses[0]!,
        `step ${i}: ${loss}, not ${exact.losses[i]}`,
      );
    }
  });

  it("takes many steps in one call with the same result, bit for bit", async () => {
    const single = await losses({ outputs: quantized.step.outputs, initializers: quantized.initializers });
    const stacked = Object.fromEntries(
      Object.entries(feeds).map(([name, { shape, data }]): [string, Tensor] => {
        const all = new (data.constructor as Float32ArrayConstructor)(data.length * steps);
        for (let i = 0; i < steps; i++) all.set(data as Float32Array, i * data.length);
        return [name, { shape: [steps, ...shape], data: all }];
      }),
    );
    const looped = await withSession(toLoopOnnx(quantized), (session) => {
      return session.run({ ...stacked, ...step.initialState, ...adapter });
    });
    assert.deepEqual(numbers(looped.loss), single.losses);
    for (const { name } of step.carried) {
      assert.ok(bytesOf(looped[newName(name)]!).equals(bytesOf(single.carried[name]!)), name);
    }
  });
});

describe("a linear probe over int8 matrices", () => {
  it("has int8 in the forward pass and no backward pass through the body", () => {
    const model = mediumModel();
    const scope = new WeightScope();
    const states = model.states(scope);
    const classifier = new WeightScope();
    const logits = linear(classifier, states, 64, 3);
    const step = trainingStep({
      loss: crossEntropy(logits, input("labels", ["batch", "sequence"], "int32")),
      parameters: classifier.parameters,
      optimizer: sgd({ learningRate: input("learning_rate", []) }),
    });
    const quantized = int8Step(step, initialize(scope.parameters, 5));
    assert.equal(count(Object.values(quantized.step.outputs), "MatMulInteger"), 12);
  });
});
