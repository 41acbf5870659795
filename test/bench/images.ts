/** How often a small residual network is right about digits, beside a linear model trained on the same ones. */
import {
  adamw,
  type BufferUpdates,
  carryOver,
  crossEntropy,
  initializeByFan,
  input,
  linearModel,
  type Node,
  permutation,
  reshape,
  resNet,
  schedule,
  type Tensor,
  tinyResNet,
  toOnnx,
  trainingStep,
  WeightScope,
  withoutBuffers,
} from "../../shared/engine/index.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import { whereDataIsSought } from "./dataSets.ts";
import { type Digits, digitBatch, readDigits, side } from "./mnist.ts";
import type { Bench, Suite } from "./suite.ts";

const [rows, epochs, batch, threads] = [12_000, 2, 64, 2];
const image = input("image", ["batch", 1, side, side]);
type Model = (scope: WeightScope, buffers?: BufferUpdates) => Node;

const network: Model = (scope, buffers) => resNet(scope, image, { ...tinyResNet, labels: 10 }, buffers);
const baseline: Model = (scope) =>
  linearModel(scope, reshape(image, ["batch", side * side]), { features: side * side, outputs: 10 });

export const images: Suite = async ({ emit, tell }) => {
  const [train, test] = [readDigits("train"), readDigits("t10k")];
  if (!train || !test) {
    tell(`mnist: left out, it is not in ${whereDataIsSought}`);
    return "done";
  }
  const linear = await measure(baseline, 2e-2, { train, test }, tell);
  const found = await measure(network, 5e-3, { train, test }, tell);
  const source = `logistic regression on the same ${rows} digits`;
  emit({ case: "mnist", value: found.percent, unit: "percent", baseline: linear.percent, baseline_source: source });
  const none = { baseline: null, baseline_source: "none" };
  emit({ case: "mnist/step", value: found.milliseconds, unit: "milliseconds", ...none });
  return "done";
};

async function measure(model: Model, learningRate: number, data: { train: Digits; test: Digits }, tell: Bench["tell"]) {
  const { weights, milliseconds } = await learn(model, learningRate, data.train, tell);
  return { percent: 100 * (await share(model, weights, data.test)), milliseconds };
}

async function learn(model: Model, learningRate: number, train: Digits, tell: Bench["tell"]) {
  const [scope, buffers] = [new WeightScope(), new Map<Node, Node>()];
  const step = trainingStep({
    loss: crossEntropy(model(scope, buffers), input("labels", ["batch"], "int32")),
    parameters: withoutBuffers(scope.parameters, buffers),
    optimizer: adamw({ learningRate: input("learning_rate", []) }),
    buffers,
  });
  const session = await createSession(toOnnx({ outputs: step.outputs }), { threads });
  const first = initializeByFan(scope.parameters, 1);
  const weights = scope.parameters.map(({ name, type }): [string, Tensor] => {
    return [name!, { shape: type.shape as number[], data: first[name!]! }];
  });
  let carried: Record<string, Tensor> = { ...step.initialState, ...Object.fromEntries(weights) };
  const totalSteps = Math.floor(rows / batch) * epochs;
  const rate = schedule("cosine", { learningRate, warmupSteps: 20, totalSteps });
  const start = performance.now();
  for (let done = 0; done < totalSteps; done++) {
    const fed = { ...digitBatch(train, rowsOf(done)), learning_rate: { shape: [], data: Float32Array.of(rate(done)) } };
    const results = await session.run({ ...fed, ...carried });
    carried = carryOver(step, results);
    if (done % 50 === 0) tell(`mnist: step ${done} of ${totalSteps}, loss ${Number(results.loss!.data[0]).toFixed(3)}`);
  }
  const milliseconds = (performance.now() - start) / totalSteps;
  await session.release();
  return { weights: carried, milliseconds };
}

/** The digits of a step: each epoch in an order of its own. */
function rowsOf(step: number): Int32Array {
  const perEpoch = Math.floor(rows / batch);
  const [epoch, at] = [Math.floor(step / perEpoch), step % perEpoch];
  return permutation(rows, 5, epoch).subarray(at * batch, (at + 1) * batch);
}

/** The share of digits whose own class scores highest. */
async function share(model: Model, weights: Record<string, Tensor>, test: Digits): Promise<number> {
  const scope = new WeightScope();
  const scores = model(scope);
  const initializers = Object.fromEntries(scope.parameters.map(({ name }) => [name!, weights[name!]!.data]));
  const session = await createSession(toOnnx({ outputs: { scores }, initializers }), { threads });
  let right = 0;
  const [count, at] = [test.labels.length, 500];
  for (let start = 0; start < count; start += at) {
    const fed = digitBatch(
      test,
      Array.from({ length: Math.min(at, count - start) }, (_, i) => start + i),
    );
    const found = (await session.run({ image: fed.image })).scores!.data as Float32Array;
    const labels = fed.labels.data as Int32Array;
    right += labels.reduce((sum, label, row) => sum + (best(found, row) === label ? 1 : 0), 0);
  }
  await session.release();
  return right / count;
}

function best(scores: Float32Array, row: number): number {
  const own = scores.subarray(row * 10, (row + 1) * 10);
  return own.indexOf(Math.max(...own));
}
