/** A training stopped at any step, stored, and gone on with in a new session ends with the same bytes, by any optimizer. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  adafactor,
  adamw,
  averageWeights,
  type BufferUpdates,
  batchNorm,
  carryOver,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  dropout,
  embedding,
  initializeByFan,
  input,
  linear,
  lion,
  type Optimizer,
  readSafetensors,
  reduceMean,
  relu,
  scaleUpdates,
  sgd,
  type Tensor,
  type TrainingStep,
  toLoopOnnx,
  toOnnx,
  trainingStep,
  WeightScope,
  withoutBuffers,
  writeSafetensors,
} from "../../../shared/engine/index.ts";
import { pickFeeds, randomValues, tensor, withSession } from "./run.ts";

const learningRate = input("learning_rate", []);
const optimizers: Record<string, Optimizer> = {
  "gradient descent": sgd({ learningRate }),
  momentum: sgd({ learningRate, momentum: 0.9 }),
  AdamW: adamw({ learningRate }),
  Lion: lion({ learningRate, weightDecay: 0.1 }),
  Adafactor: adafactor({ learningRate }),
  "AdamW with clipping, rates by group and averaged weights": chain(
    clipByGlobalNorm(0.5),
    adamw({ learningRate }),
    scaleUpdates(({ type }) => (type.shape.length > 1 ? 1 : 0.3)),
    averageWeights(0.9),
  ),
};

const steps = 6;
const [rows, length] = [4, 3];

/** A model with everything that has a memory: dropout's seed, running statistics, an embedding whose rows repeat. */
function training(optimizer: Optimizer): { step: TrainingStep; first: Record<string, Tensor> } {
  const scope = new WeightScope();
  const states = embedding(scope.scope("embeddings"), input("ids", ["batch", length], "int32"), 9, 5);
  const buffers: BufferUpdates = new Map();
  const mixed = batchNorm(scope.scope("norm"), reduceMean(states, { axes: [1] }), { training: buffers });
  const inner = dropout(relu(linear(scope.scope("inner"), mixed, 5, 8)), "inner", {
    rate: 0.3,
    seed: input("seed", [], "uint32"),
  });
  const loss = crossEntropy(linear(scope.scope("outer"), inner, 8, 3), input("labels", ["batch"], "int32"));
  const step = trainingStep({ loss, parameters: withoutBuffers(scope.parameters, buffers), optimizer, buffers });
  const data = initializeByFan(scope.parameters, 3);
  const weights = scope.parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], data[name!]!)]);
  return { step, first: { ...step.initialState, ...Object.fromEntries(weights) } };
}

/** What step i is fed: a function of i alone, as it is for whoever resumes. */
function feedsAt(i: number): Record<string, Tensor> {
  const below = (limit: number, count: number, seed: number) =>
    Int32Array.from(randomValues(count, { seed, low: 0, high: limit }), Math.floor);
  return {
    ids: tensor([rows, length], below(9, rows * length, 7 + i)),
    labels: tensor([rows], below(3, rows, 70 + i)),
    seed: tensor([], Uint32Array.of(1000 + i)),
    learning_rate: tensor([], [0.01 * (i + 1)]),
  };
}

/** Checkpoint files: before step `from`, and after each step until the end. */
async function checkpoints(step: TrainingStep, file: Uint8Array, from: number): Promise<Uint8Array[]> {
  const files = [file];
  await withSession(toOnnx({ outputs: step.outputs }), async (session) => {
    let carried: Record<string, Tensor> = Object.fromEntries(readSafetensors(file).tensors);
    for (let i = from; i < steps; i++) {
      carried = carryOver(step, await session.run(pickFeeds(session, { ...carried, ...feedsAt(i) })));
      files.push(writeSafetensors(carried));
    }
  });
  return files;
}

for (const [name, optimizer] of Object.entries(optimizers)) {
  describe(`a training by ${name}`, () => {
    const { step, first } = training(optimizer);

    it("resumed at any step ends with the same bytes", async () => {
      const files = await checkpoints(step, writeSafetensors(first), 0);
      for (let stop = 0; stop < steps; stop++) {
        assert.ok(stop === 0 || !Buffer.from(files[stop]!).equals(files[stop - 1]!), `step ${stop} changes something`);
        const resumed = await checkpoints(step, files[stop]!, stop);
        for (const [i, file] of resumed.entries()) {
          assert.ok(Buffer.from(file).equals(files[stop + i]!), `stopped at ${stop}, step ${stop + i} differs`);
        }
      }
    });

    it("taken in one call ends with the same bytes as step by step", async () => {
      const stacked = Object.fromEntries(
        Object.entries(feedsAt(0)).map(([input, { shape, data }]) => {
          const all = Array.from({ length: steps }, (_, i) => [...(feedsAt(i)[input]!.data as Float32Array)]).flat();
          const array = data.constructor as typeof Float32Array;
          return [input, { shape: [steps, ...shape], data: array.from(all) }];
        }),
      );
      const looped = await withSession(toLoopOnnx({ step }), (session) =>
        session.run(pickFeeds(session, { ...first, ...stacked })),
      );
      const files = await checkpoints(step, writeSafetensors(first), 0);
      assert.ok(Buffer.from(writeSafetensors(carryOver(step, looped))).equals(files[steps]!));
    });
  });
}
