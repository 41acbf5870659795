/** A small classifier and its batches, for whoever trains it in several places. */
import {
  adamw,
  carryOver,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  initializeByFan,
  input,
  linear,
  reduceSum,
  sub,
  type Tensor,
  tanh,
  toOnnx,
  trainingStep,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import { bytesOf, numbers, pickFeeds, randomValues, tensor, withSession } from "../run.ts";

const [features, hidden, classes] = [6, 8, 3];

const scope = new WeightScope();
const x = input("x", ["batch", features]);
const labels = input("labels", ["batch"], "int32");
const logits = linear(scope.scope("2"), tanh(linear(scope.scope("1"), x, features, hidden)), hidden, classes);

export const loss = crossEntropy(logits, labels);
export const { parameters } = scope;
export const optimizer = chain(clipByGlobalNorm(0.5), adamw({ learningRate: input("learning_rate", []) }));
/** The number of rows: 1 - 0 x, summed. */
export const weight = reduceSum(sub(1, reduceSum(sub(x, x), { axes: [1] })));
export const inputs = [x, labels];
export const rate = { learning_rate: tensor([], [0.02]) };
export const step = trainingStep({ loss, parameters, optimizer });

export function firstWeights(): Record<string, Tensor> {
  const data = initializeByFan(parameters, 5);
  return Object.fromEntries(parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], data[name!]!)]));
}

export function batchAt(i: number, rows = 12): Record<string, Tensor> {
  const values = randomValues(rows * features, { seed: 100 + i });
  // The class depends on the first two numbers.
  const classOf = (row: number) => (values[row * features]! > 0 ? 1 : 0) + (values[row * features + 1]! > 0.3 ? 1 : 0);
  return {
    x: tensor([rows, features], values),
    labels: tensor(
      [rows],
      Int32Array.from({ length: rows }, (_, i) => classOf(i)),
    ),
  };
}

/** Training as it is on one device. */
export async function plainTraining(batches: readonly Record<string, Tensor>[]) {
  return withSession(
    toOnnx({ outputs: step.outputs }),
    async (session) => {
      let carried: Record<string, Tensor> = { ...step.initialState, ...firstWeights() };
      const losses: number[] = [];
      for (const batch of batches) {
        const results = await session.run(pickFeeds(session, { ...batch, ...rate, ...carried }));
        losses.push(numbers(results.loss)[0]!);
        carried = carryOver(step, results);
      }
      return { losses, carried };
    },
    1,
  );
}

/** All tensors as one, by name, for comparisons bit for bit. */
export function bytes(tensors: Readonly<Record<string, Tensor>>): string {
  const names = Object.keys(tensors).sort();
  return names.map((name) => `${name} ${bytesOf(tensors[name]!).toString("hex")}`).join("\n");
}
