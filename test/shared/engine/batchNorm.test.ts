/** Batch normalisation: values, running statistics and gradients in training, one convolution in inference. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type BufferUpdates,
  batchNorm,
  carryOver,
  conv,
  convolution,
  initializeByFan,
  input,
  newName,
  normalizedConvolution,
  reduceSum,
  sgd,
  square,
  type Tensor,
  toLoopOnnx,
  toOnnx,
  trainingStep,
  WeightScope,
  withoutBuffers,
} from "../../../shared/engine/index.ts";
import { tolerance, worstError } from "./finiteDifferences.ts";
import { assertClose, bytesOf, evaluate, numbers, pickFeeds, randomValues, tensor, withSession } from "./run.ts";

const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
const values = randomValues(2 * 3 * 4, { seed: 3, low: -1, high: 3 });
const channel = (c: number) => [0, 1].flatMap((row) => [...values.slice((row * 3 + c) * 4, (row * 3 + c) * 4 + 4)]);
const weights = {
  weight: tensor([3], [1, -2, 0.5]),
  bias: tensor([3], [0, 1, -1]),
  running_mean: tensor([3], [0.5, 0, -0.5]),
  running_var: tensor([3], [1, 2, 0.25]),
};
const x = input("x", ["batch", 3, 4]);
const feeds = { x: tensor([2, 3, 4], values), ...weights };

/** Each element of x by its channel, after normalising by these statistics. */
function normalised(statistics: (c: number) => readonly [mean: number, variance: number]): number[] {
  return [...values].map((value, i) => {
    const c = Math.floor(i / 4) % 3;
    const [centre, variance] = statistics(c);
    const scale = numbers(weights.weight)[c]! / Math.sqrt(variance + 1e-5);
    return (value - centre) * scale + numbers(weights.bias)[c]!;
  });
}
const batchOf = (c: number) => [mean(channel(c)), mean(channel(c).map((v) => (v - mean(channel(c))) ** 2))] as const;
const runningOf = (c: number) => [numbers(weights.running_mean)[c]!, numbers(weights.running_var)[c]!] as const;

describe("batch normalisation", () => {
  it("in training uses the batch, and moves the running statistics towards it, the variance unbiased", async () => {
    const training: BufferUpdates = new Map();
    const y = batchNorm(new WeightScope(), x, { training });
    const found = await evaluate(
      { y, ...Object.fromEntries([...training].map(([buffer, next]) => [`new:${buffer.name}`, next])) },
      feeds,
    );
    assertClose(numbers(found.y), normalised(batchOf), 5e-6);
    const channels = [0, 1, 2];
    assertClose(
      numbers(found["new:running_mean"]),
      channels.map((c) => 0.9 * runningOf(c)[0] + 0.1 * batchOf(c)[0]),
      1e-6,
    );
    assertClose(
      numbers(found["new:running_var"]),
      channels.map((c) => 0.9 * runningOf(c)[1] + (0.1 * batchOf(c)[1] * 8) / 7),
      1e-6,
    );
  });

  it("in inference uses the running statistics", async () => {
    const found = await evaluate({ y: batchNorm(new WeightScope(), x) }, feeds);
    assertClose(numbers(found.y), normalised(runningOf), 5e-6);
  });

  for (const shape of [
    ["batch", 2],
    ["batch", 2, "sequence"],
    [2, 2, 2, 3],
  ]) {
    it(`differentiates in training over [${shape}]`, async () => {
      const scope = new WeightScope();
      const error = await worstError({
        operands: { x: shape },
        build: (nodes) => square(batchNorm(scope, nodes.x!, { training: new Map(), epsilon: 0.1 })),
        feeds: { weight: tensor([2], [1, -2]), bias: tensor([2], [0.5, 1]) },
      });
      assert.ok(error < 2 * tolerance, `off by ${error}`);
    });
  }
});

describe("a normalised convolution", () => {
  const image = input("image", ["batch", 2, 4, 4]);
  const options = { outputs: 3, kernel: 3, padding: 1 };
  const scope = new WeightScope();
  const scopes = { convolution: scope.scope("conv"), norm: scope.scope("bn") };
  const fed = Object.fromEntries(Object.entries(weights).map(([name, value]) => [`bn.${name}`, value]));
  const pixels = tensor([2, 2, 4, 4], randomValues(64, { seed: 5 }));

  it("is in inference the convolution, then the normalisation", async () => {
    const apart = batchNorm(scopes.norm, convolution(scopes.convolution, image, { ...options, bias: false }));
    const outputs = { folded: normalizedConvolution(scopes, image, options), apart };
    const kernel = tensor([3, 2, 3, 3], randomValues(54, { seed: 6 }));
    const found = await evaluate(outputs, { ...fed, "conv.weight": kernel, image: pixels });
    assertClose(numbers(found.folded), numbers(found.apart), 5e-6);
    assert.equal(outputs.folded.op, "Conv");
    assert.ok(numbers(found.folded).some((value) => Math.abs(value) > 1));
  });

  it("carries its running statistics from step to step, and does not train them", async () => {
    const buffers: BufferUpdates = new Map();
    const y = normalizedConvolution(scopes, image, options, buffers);
    const parameters = withoutBuffers(scope.parameters, buffers).filter(({ name }) => name !== "conv.bias");
    assert.deepEqual(
      parameters.map(({ name }) => name),
      ["conv.weight", "bn.weight", "bn.bias"],
    );
    const optimizer = sgd({ learningRate: input("learning_rate", []) });
    const step = trainingStep({ loss: reduceSum(square(y)), parameters, optimizer, buffers });
    const first = initializeByFan(scope.parameters, 1);
    const state = Object.fromEntries(
      scope.parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], first[name!]!)]),
    );
    await withSession(toOnnx({ outputs: step.outputs }), async (session) => {
      let carried: Record<string, Tensor> = state;
      for (let i = 0; i < 200; i++) {
        const fedNow = { image: pixels, learning_rate: tensor([], [0]), ...carried };
        carried = carryOver(step, await session.run(pickFeeds(session, fedNow)));
      }
      // With the rate at 0 and one batch, the running statistics arrive at the batch's.
      const means = await evaluate(
        { y: conv(image, scopes.convolution.get("weight", [3, 2, 3, 3]), { padding: 1 }) },
        { ...state, image: pixels },
      );
      const plane = (c: number) =>
        [0, 1].flatMap((row) => numbers(means.y).slice((row * 3 + c) * 16, (row * 3 + c) * 16 + 16));
      assertClose(
        numbers(carried["bn.running_mean"]),
        [0, 1, 2].map((c) => mean(plane(c))),
        1e-5,
      );
    });
    assert.throws(
      () => trainingStep({ loss: reduceSum(y), parameters: scope.parameters, optimizer, buffers }),
      /no buffers/,
    );
  });

  it("gives the same bytes in a loop as step by step", async () => {
    const [own, buffers]: [WeightScope, BufferUpdates] = [new WeightScope(), new Map()];
    const named = { convolution: own.scope("conv"), norm: own.scope("bn") };
    const loss = reduceSum(square(normalizedConvolution(named, image, options, buffers)));
    const optimizer = sgd({ learningRate: input("learning_rate", []) });
    const step = trainingStep({ loss, parameters: withoutBuffers(own.parameters, buffers), optimizer, buffers });
    const first = initializeByFan(own.parameters, 2);
    const state = Object.fromEntries(
      own.parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], first[name!]!)]),
    );
    const [images, rates] = [randomValues(3 * 64, { seed: 7 }), [0.01, 0.02, 0.03]];
    const looped = await withSession(toLoopOnnx({ step }), (session) =>
      session.run({ image: tensor([3, 2, 2, 4, 4], images), learning_rate: tensor([3], rates), ...state }),
    );
    const stepped = await withSession(toOnnx({ outputs: step.outputs }), async (session) => {
      let carried: Record<string, Tensor> = state;
      for (const [i, rate] of rates.entries()) {
        const one = {
          image: tensor([2, 2, 4, 4], images.slice(i * 64, i * 64 + 64)),
          learning_rate: tensor([], [rate]),
        };
        carried = carryOver(step, await session.run({ ...one, ...carried }));
      }
      return carried;
    });
    assert.deepEqual(Object.keys(stepped), [
      "conv.weight",
      "bn.weight",
      "bn.bias",
      "bn.running_mean",
      "bn.running_var",
    ]);
    for (const [name, value] of Object.entries(stepped)) {
      assert.ok(bytesOf(value).equals(bytesOf(looped[newName(name)]!)), name);
      assert.notDeepEqual(numbers(value), numbers(state[name]));
    }
  });
});
