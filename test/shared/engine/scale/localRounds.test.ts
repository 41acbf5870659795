/** Workers that meet once a round: the same as plain training where they should be, and learning where they may differ. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  accuracy,
  adamw,
  crossEntropy,
  initializeByFan,
  input,
  linear,
  parameter,
  relu,
  type Tensor,
  toOnnx,
  trainingStep,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import { permutation } from "../../../../shared/engine/random.ts";
import { localRound, type ProcessWorker, startLocalWorker } from "../../../../shared/engine/scale/localRounds.ts";
import { outerStep, startOuter } from "../../../../shared/engine/scale/outerStep.ts";
import { DeviceLostError } from "../../../../shared/engine/scale/replica.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";
import { assertClose, numbers, tensor, withSession } from "../run.ts";
import { batchAt, bytes, firstWeights, parameters, plainTraining, rate, step } from "./smallClassifier.ts";

async function withWorkers<T>(
  count: number,
  use: (workers: ProcessWorker[]) => Promise<T>,
  training = step,
): Promise<T> {
  const names = Array.from({ length: count }, (_, i) => `worker ${i}`);
  const workers = await Promise.all(names.map((name) => startLocalWorker(training, { name, session: { threads: 1 } })));
  try {
    return await use(workers);
  } finally {
    for (const worker of workers) worker.kill();
  }
}

const batches = Array.from({ length: 12 }, (_, i) => ({ ...batchAt(i), ...rate }));
const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

describe("local rounds", () => {
  it("of one worker, with outer rate 1 and no momentum, are plain training bit for bit", async () => {
    const plain = await plainTraining(batches);
    await withWorkers(1, async ([worker]) => {
      let state = startOuter(parameters, firstWeights());
      const losses: number[] = [];
      for (const from of [0, 4, 8]) {
        const shares = [{ worker: worker!, batches: batches.slice(from, from + 4) }];
        const round = await localRound(state, shares, { learningRate: 1, momentum: 0 });
        state = round.state;
        losses.push(...round.losses[0]!);
      }
      assert.deepEqual(losses, plain.losses);
      assert.equal(bytes({ ...state.weights, ...(await worker!.state()) }), bytes(plain.carried));
    });
  });

  it("go on without a worker that is lost, and not with work that is at fault", () =>
    withWorkers(2, async ([first, second]) => {
      const start = startOuter(parameters, firstWeights());
      const options = { learningRate: 1, momentum: 0 };
      const shares = [0, 1].map((i) => ({ worker: [first!, second!][i]!, batches: batches.slice(i * 2, i * 2 + 2) }));
      const faulty = [shares[0]!, { worker: second!, batches: [batchAt(0)] }];
      await assert.rejects(localRound(start, faulty, options), /worker 1: input "learning_rate" is missing/);
      const running = localRound(start, shares, options);
      second!.kill();
      const { state, losses, lost } = await running;
      assert.deepEqual([losses[0]!.length, losses[1]], [2, undefined]);
      assert.deepEqual([...lost.keys()], [1]);
      assert.match(lost.get(1)!.message, /worker 1 was killed/);
      // The faulty round moved the first worker's inner state, so what it learns alone is asked of a new one.
      await withWorkers(1, async ([alone]) => {
        await alone!.round(start.weights, shares[0]!.batches);
        const { weights } = await alone!.round(start.weights, shares[0]!.batches);
        assert.equal(bytes(state.weights), bytes(weights));
      });
      first!.kill();
      await assert.rejects(localRound(start, shares, options), (error) => {
        return error instanceof DeviceLostError && /all 2 workers were lost/.test(error.message);
      });
    }));
});

describe("the outer step", () => {
  const [before, buffer] = [tensor([3], [1, -2, 0.5]), tensor([2], [1, 3])];
  const start = startOuter([parameter("w", [3])], { w: before, mean: buffer });
  const finished = [
    [
      { w: tensor([3], [0.5, -1, 0]), mean: tensor([2], [2, 2]) },
      { w: tensor([3], [1.5, -2, 0.25]), mean: tensor([2], [4, 4]) },
    ],
    [
      { w: tensor([3], [0, 0, 0]), mean: tensor([2], [1, 1]) },
      { w: tensor([3], [0.5, -1, 1]), mean: tensor([2], [0, 0]) },
    ],
  ];

  it("is Nesterov's, as PyTorch writes it, on the mean way back; buffers are averaged", () => {
    let state = start;
    let [w, v] = [
      [1, -2, 0.5],
      [0, 0, 0],
    ];
    for (const round of finished) {
      const gradient = w.map((value, i) => value - mean(round.map((worker) => numbers(worker.w)[i]!)));
      v = v.map((value, i) => 0.9 * value + gradient[i]!);
      w = w.map((value, i) => value - 0.7 * (gradient[i]! + 0.9 * v[i]!));
      state = outerStep(state, round);
    }
    assertClose(numbers(state.weights.w), w, 1e-6);
    assertClose(numbers(state.velocity.w), v, 1e-6);
    assert.deepEqual(numbers(state.weights.mean), [0.5, 0.5]);
    assert.deepEqual(Object.keys(state.velocity), ["w"]);
  });

  it("gives one worker's weights back exactly at rate 1 without momentum, however small", () => {
    const tiny = tensor([3], [-0, 1e-30, -3e-39]);
    const { weights } = outerStep(start, [{ w: tiny, mean: buffer }], { learningRate: 1, momentum: 0 });
    assert.equal(bytes({ w: weights.w! }), bytes({ w: tiny }));
  });

  it("is refused for nobody's weights, a lack of one, or rates out of range", () => {
    assert.throws(() => outerStep(start, []), /at least one worker/);
    assert.throws(() => outerStep(start, [{ w: before }]), /no weight "mean"/);
    assert.throws(() => outerStep(start, finished[0]!, { learningRate: 0 }), /learningRate must be more than 0/);
    assert.throws(() => outerStep(start, finished[0]!, { momentum: 1 }), /momentum lies in \[0, 1\), not 1/);
  });
});

const images = sharedFile("data/mnist/train-images-idx3-ubyte.gz");
const digits = sharedFile("data/mnist/train-labels-idx1-ubyte.gz");

it("two workers with different digits learn both their digits", { skip: images.skip || digits.skip }, async () => {
  const pixels = gunzipSync(readFileSync(images.path)).subarray(16);
  const answers = gunzipSync(readFileSync(digits.path)).subarray(8);
  const batchOf = (rows: readonly number[]): Record<string, Tensor> => ({
    x: tensor(
      [rows.length, 784],
      Float32Array.from(
        rows.flatMap((row) => [...pixels.subarray(row * 784, (row + 1) * 784)]),
        (p) => p / 255,
      ),
    ),
    labels: tensor(
      [rows.length],
      Int32Array.from(rows, (row) => answers[row]!),
    ),
  });
  const scope = new WeightScope();
  const [x, labels] = [input("x", ["batch", 784]), input("labels", ["batch"], "int32")];
  const logits = linear(scope.scope("2"), relu(linear(scope.scope("1"), x, 784, 32)), 32, 10);
  const optimizer = adamw({ learningRate: input("learning_rate", []) });
  const training = trainingStep({ loss: crossEntropy(logits, labels), parameters: scope.parameters, optimizer });
  const data = initializeByFan(scope.parameters, 1);
  let state = startOuter(
    scope.parameters,
    Object.fromEntries(scope.parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], data[name!]!)])),
  );
  // One sees 0 to 4 only and the other 5 to 9: neither can learn the task alone.
  const seen = [0, 1].map((worker) =>
    [...Array(4000).keys()].filter((row) => Math.floor(answers[row]! / 5) === worker),
  );
  await withWorkers(
    2,
    async (workers) => {
      for (let round = 0; round < 8; round++) {
        const shares = workers.map((worker, w) => {
          const order = permutation(seen[w]!.length, round, w);
          const at = (i: number) => [...order.subarray(i * 32, (i + 1) * 32)].map((place) => seen[w]![place]!);
          const steps = Array.from({ length: 10 }, (_, i) => ({
            ...batchOf(at(i)),
            learning_rate: tensor([], [2e-3]),
          }));
          return { worker, batches: steps };
        });
        ({ state } = await localRound(state, shares));
      }
    },
    training,
  );
  const held = batchOf(Array.from({ length: 1000 }, (_, i) => 50_000 + i));
  const right = await withSession(toOnnx({ outputs: { right: accuracy(logits, labels) } }), (session) => {
    return session.run({ ...held, ...state.weights });
  });
  assert.ok(numbers(right.right)[0]! > 0.75, `accuracy ${numbers(right.right)}`);
});
