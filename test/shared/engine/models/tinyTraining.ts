/** A few training steps of a very small model, with chosen weights moving and the others frozen inside the model. */
import {
  adamw,
  carryOver,
  input,
  type Node,
  type Tensor,
  toOnnx,
  trainingStep,
} from "../../../../shared/engine/index.ts";
import { dataOf } from "../../../../shared/engine/weights/tensors.ts";
import { numbers, pickFeeds, tensor, withSession } from "../run.ts";

export interface Training {
  readonly loss: Node;
  readonly parameters: readonly Node[];
  /** First values of every parameter under the loss. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly steps: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
}

export interface Trained {
  readonly losses: readonly number[];
  /** The moved parameters after the last step, and before it. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly before: Readonly<Record<string, Tensor>>;
}

export async function train({ loss, parameters, weights, feeds, steps, ...options }: Training): Promise<Trained> {
  const { learningRate = 1e-2, weightDecay = 0 } = options;
  const step = trainingStep({
    loss,
    parameters,
    optimizer: adamw({ learningRate: input("learning_rate", []), weightDecay }),
  });
  const moved = new Set(parameters.map(({ name }) => name!));
  const only = (tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => moved.has(name)));
  const model = toOnnx({ outputs: step.outputs, initializers: dataOf(weights, (name) => !moved.has(name)) });
  return withSession(model, async (session) => {
    let before: Record<string, Tensor> = {};
    let carried: Record<string, Tensor> = { ...step.initialState, ...only(weights) };
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      const fixed = {
        ...feeds,
        learning_rate: tensor([], [learningRate]),
        dropout_seed: tensor([], Uint32Array.of(i)),
      };
      const results = await session.run(pickFeeds(session, { ...fixed, ...carried }));
      losses.push(numbers(results.loss)[0]!);
      before = carried;
      carried = carryOver(step, results);
    }
    return { losses, weights: only(carried), before: only(before) };
  });
}
