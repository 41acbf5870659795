/** Lion, Adafactor, rates by group, averaged weights and accumulation against plain JavaScript in float64. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accumulationStep,
  adafactor,
  applyStep,
  averageWeights,
  carryOver,
  chain,
  input,
  lion,
  meanSquaredError,
  mul,
  parameter,
  reduceSum,
  scaleUpdates,
  sgd,
  type Tensor,
  toLoopOnnx,
  toOnnx,
  trainingStep,
} from "../../../shared/engine/index.ts";
import { close, learningRate, rates, reference, train } from "./knownProblem.ts";
import { assertClose, numbers, pickFeeds, randomValues, tensor, withSession } from "./run.ts";

const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

describe("twenty steps agree with float64 arithmetic", () => {
  it("of Lion, whose weight decay spares biases", async () => {
    const m: Record<string, number> = {};
    const expected = reference((name, i, x, g, t) => {
      const key = `${name}${i}`;
      const direction = Math.sign(0.9 * (m[key] ?? 0) + 0.1 * g);
      m[key] = 0.99 * (m[key] ?? 0) + 0.01 * g;
      return x - rates[t]! * (direction + (name === "w" ? 0.1 * x : 0));
    });
    close(await train(lion({ learningRate, weightDecay: 0.1 })), expected, 2e-6);
  });

  it("of a rate of its own for each group", async () => {
    const found = await train(
      chain(
        sgd({ learningRate }),
        scaleUpdates(({ name }) => (name === "w" ? 0.25 : 1)),
      ),
    );
    close(
      found,
      reference((name, _i, x, g, t) => x - rates[t]! * g * (name === "w" ? 0.25 : 1)),
      2e-6,
    );
  });

  it("of the average of weights, which starts at the first step's and changes no update", async () => {
    const averages: Record<string, number> = {};
    reference((name, i, x, g, t) => {
      const next = x - rates[t]! * g;
      averages[`${name}${i}`] = t === 0 ? next : 0.9 * averages[`${name}${i}`]! + 0.1 * next;
      return next;
    });
    const found = await train(chain(sgd({ learningRate }), averageWeights(0.9)));
    const average = [...numbers(found.carried["average:w"]), ...numbers(found.carried["average:b"])];
    assertClose(average, Object.values(averages), 2e-6);
    const plain = await train(sgd({ learningRate }));
    assert.deepEqual([found.w, found.b], [plain.w, plain.b]);
  });
});

describe("Adafactor", () => {
  // loss = 2 sum((w - target)^2) over a matrix, and over a vector.
  const [w, b] = [parameter("w", [2, 3]), parameter("b", [3])];
  const [first, wanted] = [
    [0.3, -0.7, 1.2, 0.1, 2, -1],
    [1, 1, -1, 0.5, 0, 0.25],
  ];

  function referenceStep(x: number[], target: number[], state: number[][], t: number, matrix: boolean): number[] {
    const g = x.map((value, i) => 4 * (value - target[i]!));
    const beta = 1 - (t + 1) ** -0.8;
    const move = (slot: number, values: number[]) => {
      state[slot] = values.map((value, i) => beta * (state[slot]?.[i] ?? 0) + (1 - beta) * value);
      return state[slot];
    };
    const squares = g.map((value) => value * value + 1e-30);
    const byRow = () => move(0, [mean(squares.slice(0, 3)), mean(squares.slice(3))]);
    const byColumn = () =>
      move(
        1,
        [0, 1, 2].map((i) => (squares[i]! + squares[i + 3]!) / 2),
      );
    const factored = (rows: number[], columns: number[]) =>
      g.map((_, i) => (rows[Math.floor(i / 3)]! * columns[i % 3]!) / mean(rows));
    const v = matrix ? factored(byRow(), byColumn()) : move(2, squares);
    const u = g.map((value, i) => value / Math.sqrt(v[i]!));
    const size = (list: number[]) => Math.sqrt(mean(list.map((value) => value * value)));
    const rate = rates[t]! * Math.max(1e-3, size(x));
    return x.map((value, i) => value - (rate * u[i]!) / Math.max(1, size(u)));
  }

  it("agrees with float64 arithmetic over twenty steps", async () => {
    const apart = (node: typeof w, name: string) => meanSquaredError(node, input(name, node.type.shape));
    const step = trainingStep({
      loss: mul(apart(w, "tw"), 12),
      parameters: [w],
      optimizer: adafactor({ learningRate }),
    });
    const vector = trainingStep({
      loss: mul(apart(b, "tb"), 6),
      parameters: [b],
      optimizer: adafactor({ learningRate }),
    });
    let [x, y] = [first, first.slice(0, 3)];
    const [matrixState, vectorState]: number[][][] = [[], []];
    for (const t of rates.keys()) {
      x = referenceStep(x, wanted, matrixState!, t, true);
      y = referenceStep(y, wanted.slice(0, 3), vectorState!, t, false);
    }
    const feeds = { tw: tensor([2, 3], wanted), tb: tensor([3], wanted.slice(0, 3)) };
    const start = { w: tensor([2, 3], first), b: tensor([3], first.slice(0, 3)) };
    assertClose(numbers((await run(step, { ...feeds, w: start.w })).w), x, 5e-6);
    assertClose(numbers((await run(vector, { ...feeds, b: start.b })).b), y, 5e-6);
    assert.deepEqual(
      step.carried.map(({ name, before }) => [name, ...before.type.shape]),
      [["w", 2, 3], ["adafactor.step"], ["adafactor.r:w", 2, 1], ["adafactor.c:w", 1, 3]],
    );
  });

  async function run(step: ReturnType<typeof trainingStep>, feeds: Record<string, Tensor>) {
    return withSession(toOnnx({ outputs: step.outputs }), async (session) => {
      let carried: Record<string, Tensor> = step.initialState;
      for (const rate of rates) {
        const fed = { ...feeds, ...carried, learning_rate: tensor([], [rate]) };
        carried = carryOver(step, await session.run(pickFeeds(session, fed)));
      }
      return carried;
    });
  }
});

describe("accumulated gradients", () => {
  const w = parameter("w", [3, 1]);
  const [x, y, weights] = [input("x", ["batch", 3]), input("y", ["batch", 1]), input("weights", ["batch"])];
  const predictions = reduceSum(mul(x, reduceSum(w, { axes: [1] })), { axes: [1], keepDims: true });
  const loss = meanSquaredError(predictions, y, { weights });
  const optimizer = sgd({ learningRate, momentum: 0.5 });
  const rows = (seed: number, length: number) => randomValues(length, { seed });
  const data = { x: rows(1, 24), y: rows(2, 8), weights: rows(3, 8).map((value) => Math.abs(value) + 0.1) };
  const part = (from: number, to: number): Record<string, Tensor> => ({
    x: tensor([to - from, 3], data.x.slice(from * 3, to * 3)),
    y: tensor([to - from, 1], data.y.slice(from, to)),
    weights: tensor([to - from], data.weights.slice(from, to)),
  });
  const start = { w: tensor([3, 1], [0.5, -1, 0.25]) };
  const rate = { learning_rate: tensor([], [0.05]) };
  const adding = accumulationStep({ loss, parameters: [w], weight: reduceSum(weights) });
  const applying = applyStep({ parameters: [w], optimizer });

  async function whole() {
    const step = trainingStep({ loss, parameters: [w], optimizer });
    return withSession(toOnnx({ outputs: step.outputs }), (session) =>
      session.run({ ...part(0, 8), ...start, ...step.initialState, ...rate }),
    );
  }

  async function apply(sums: Record<string, Tensor>) {
    return withSession(toOnnx({ outputs: applying.outputs }), (session) =>
      session.run({ ...applying.initialState, ...sums, ...start, ...rate }),
    );
  }

  it("over uneven micro-batches make the step of the whole batch", async () => {
    const sums = await withSession(toOnnx({ outputs: adding.outputs }), async (session) => {
      let carried: Record<string, Tensor> = adding.initialState;
      for (const [from, to] of [
        [0, 3],
        [3, 4],
        [4, 8],
      ] as const)
        carried = carryOver(adding, await session.run({ ...part(from, to), ...carried, ...start }));
      return carried;
    });
    const [found, expected] = [await apply(sums), await whole()];
    assertClose(numbers(found["new:w"]), numbers(expected["new:w"]), 1e-6);
    assertClose(numbers(found.loss), numbers(expected.loss), 1e-6);
    assert.notDeepEqual(numbers(found["new:w"]), numbers(start.w));
    assert.deepEqual(
      ["accumulated:w", "accumulated.loss", "accumulated.weight"].flatMap((name) => numbers(found[`new:${name}`])),
      [0, 0, 0, 0, 0],
    );
  });

  it("may be looped", async () => {
    const stacked = Object.fromEntries(
      Object.entries(part(0, 8)).map(([name, { shape, data: values }]) => [
        name,
        { shape: [4, 2, ...shape.slice(1)], data: values },
      ]),
    );
    const sums = await withSession(toLoopOnnx({ step: adding }), (session) =>
      session.run({ ...stacked, ...adding.initialState, ...start }),
    );
    const found = await apply(carryOver(adding, sums));
    assertClose(numbers(found["new:w"]), numbers((await whole())["new:w"]), 1e-6);
  });
});
