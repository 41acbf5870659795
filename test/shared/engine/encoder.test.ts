/** The encoder on ONNX Runtime: lengths, padding, learning, and repeatability. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accuracy,
  adamw,
  carryOver,
  chain,
  classifier,
  clipByGlobalNorm,
  crossEntropy,
  encoderInputs,
  initialize,
  input,
  mixSeeds,
  sgd,
  type Tensor,
  type TrainingStep,
  tinyEncoder,
  toLoopOnnx,
  toOnnx,
  trainingStep,
  WeightScope,
} from "../../../shared/engine/index.ts";
import { bytesOf, numbers, pickFeeds, tensor, withSession } from "./run.ts";

const config = { ...tinyEncoder, hidden: 32, heads: 2, intermediate: 64, vocabulary: 60, maxPositions: 12, labels: 4 };

function build(rate = 0) {
  const scope = new WeightScope();
  const inputs = encoderInputs();
  const noise = rate > 0 ? { rate, seed: input("dropout_seed", [], "uint32") } : undefined;
  const logits = classifier(scope, inputs, config, noise);
  const labels = input("labels", ["batch"], "int32");
  const weights = input("weights", ["batch"]);
  const step = trainingStep({
    loss: crossEntropy(logits, labels, weights),
    parameters: scope.parameters,
    optimizer: chain(clipByGlobalNorm(1), adamw({ learningRate: input("learning_rate", []) })),
    metrics: { accuracy: accuracy(logits, labels, weights) },
  });
  return { scope, logits, step };
}

/** Texts of token ids, padded to the longest or to `length`. */
function batch(
  texts: readonly number[][],
  length = Math.max(...texts.map((text) => text.length)),
): Record<string, Tensor> {
  const ids = texts.flatMap((text) => [...text, ...Array<number>(length - text.length).fill(0)]);
  const mask = texts.flatMap((text) => Array.from({ length }, (_, i) => (i < text.length ? 1 : 0)));
  const shape = [texts.length, length];
  return { input_ids: tensor(shape, Int32Array.from(ids)), attention_mask: tensor(shape, Int32Array.from(mask)) };
}

const texts = Array.from({ length: 16 }, (_, row) =>
  Array.from({ length: 4 + (row % 5) }, (_, i) => 1 + ((row * 13 + i * 7) % 59)),
);
const labels = texts.map((_, row) => (row * 7) % 4);

function stepFeeds(step: number, weights = texts.map(() => 1)): Record<string, Tensor> {
  return {
    ...batch(texts),
    labels: tensor([16], Int32Array.from(labels)),
    weights: tensor([16], weights),
    learning_rate: tensor([], [2e-3]),
    dropout_seed: tensor([], Uint32Array.of(mixSeeds(5, step))),
  };
}

function firstState({ scope, step }: ReturnType<typeof build>): Record<string, Tensor> {
  const data = initialize(scope.parameters, 17);
  const weights = scope.parameters.map(
    ({ name, type }) => [name!, tensor(type.shape as number[], data[name!]!)] as const,
  );
  return { ...step.initialState, ...Object.fromEntries(weights) };
}

async function train(steps: number, rate = 0) {
  const built = build(rate);
  return withSession(toOnnx({ outputs: built.step.outputs }), async (session) => {
    let carried = firstState(built);
    let results: Record<string, Tensor> = {};
    for (let i = 0; i < steps; i++) {
      results = await session.run(pickFeeds(session, { ...stepFeeds(i), ...carried }));
      carried = carryOver(built.step, results);
    }
    return { ...built, carried, loss: numbers(results.loss)[0]!, accuracy: numbers(results.accuracy)[0]! };
  });
}

function assertSameBytes(step: TrainingStep, a: Record<string, Tensor>, b: Record<string, Tensor>): void {
  for (const { name } of step.carried) assert.ok(bytesOf(a[name]!).equals(bytesOf(b[name]!)), `${name} differs`);
}

describe("the encoder answers", () => {
  const { scope, logits } = build();
  const model = toOnnx({ outputs: { logits }, initializers: initialize(scope.parameters, 17, 0.3) });

  it("texts of any length in one session, a text alone as the same text in a padded batch", async () => {
    await withSession(model, async (session) => {
      const together = numbers((await session.run(batch(texts, 12))).logits);
      for (const [row, text] of texts.entries()) {
        const alone = numbers((await session.run(batch([text]))).logits);
        assert.equal(alone.length, 4);
        for (const [i, logit] of alone.entries()) assert.ok(Math.abs(logit - together[row * 4 + i]!) < 1e-5);
      }
      assert.ok(Math.max(...together) - Math.min(...together) > 0.1, "the logits tell texts apart");
    });
  });

  it("a row of padding alone with finite numbers", async () => {
    await withSession(model, async (session) => {
      assert.ok(numbers((await session.run(batch([[], [1, 2]]))).logits).every(Number.isFinite));
    });
  });

  it("by token order, not as a bag of words", async () => {
    await withSession(model, async (session) => {
      const [a, b] = [
        numbers((await session.run(batch([[3, 4, 5]]))).logits),
        numbers((await session.run(batch([[5, 4, 3]]))).logits),
      ];
      assert.ok(a.some((logit, i) => Math.abs(logit - b[i]!) > 1e-4));
    });
  });
});

describe("the encoder learns", () => {
  it("sixteen rows by heart, in 40 steps", async () => {
    const trained = await train(40);
    assert.equal(trained.accuracy, 1);
    assert.ok(trained.loss < 0.1, `the loss is ${trained.loss}`);
  });

  it("the same weights, bit for bit, each time, dropout included", async () => {
    const [first, second] = [await train(8, 0.1), await train(8, 0.1)];
    assertSameBytes(first.step, first.carried, second.carried);
  });

  it("nothing from rows that weigh 0", async () => {
    const built = build();
    await withSession(toOnnx({ outputs: built.step.outputs }), async (session) => {
      const weights = texts.map((_, row) => (row < 10 ? 1 : 0));
      const feeds = { ...stepFeeds(0, weights), ...firstState(built) };
      const changed = {
        ...feeds,
        labels: tensor(
          [16],
          Int32Array.from(labels, (label, row) => (row < 10 ? label : 3 - label)),
        ),
      };
      const [a, b] = [await session.run(pickFeeds(session, feeds)), await session.run(pickFeeds(session, changed))];
      assertSameBytes(built.step, carryOver(built.step, a), carryOver(built.step, b));
    });
  });
});

describe("K steps in a Loop", () => {
  for (const rate of [0, 0.1]) {
    it(`give the weights of K single steps, bit for bit, at dropout ${rate}`, async () => {
      const single = await train(6, rate);
      const built = build(rate);
      const looped = await withSession(toLoopOnnx({ step: built.step }), async (session) => {
        let carried = firstState(built);
        let losses: number[] = [];
        for (const [from, count] of [
          [0, 4],
          [4, 2],
        ] as const) {
          const results = await session.run(pickFeeds(session, { ...stackSteps(from, count), ...carried }));
          losses = numbers(results.loss);
          carried = carryOver(built.step, results);
        }
        assert.equal(losses.length, 2);
        assert.equal(losses[1], single.loss);
        return carried;
      });
      assertSameBytes(built.step, single.carried, looped);
    });
  }
});

describe("frozen weights", () => {
  it("lie in the looped model once, and training moves only the head", async () => {
    const scope = new WeightScope();
    const logits = classifier(scope, encoderInputs(), config);
    const isHead = (name: string) => name.startsWith("classifier");
    const head = scope.parameters.filter(({ name }) => isHead(name!));
    const loss = crossEntropy(logits, input("labels", ["batch"], "int32"));
    const step = trainingStep({ loss, parameters: head, optimizer: sgd({ learningRate: input("learning_rate", []) }) });
    const data = initialize(scope.parameters, 17);
    const frozen = Object.fromEntries(Object.entries(data).filter(([name]) => !isHead(name)));
    await withSession(toLoopOnnx({ step, initializers: frozen }), async (session) => {
      assert.deepEqual(session.outputNames.slice().sort(), ["loss", "new:classifier.bias", "new:classifier.weight"]);
      assert.deepEqual(session.inputNames.filter((name) => name.includes(".")).sort(), [
        "classifier.bias",
        "classifier.weight",
      ]);
      const weights = Object.fromEntries(
        head.map(({ name, type }) => [name, tensor(type.shape as number[], data[name!]!)]),
      );
      const results = await session.run(pickFeeds(session, { ...stackSteps(0, 3), ...weights }));
      const losses = numbers(results.loss);
      assert.ok(losses[0]! > losses[1]! && losses[1]! > losses[2]!, `the losses are ${losses}`);
    });
  });
});

function stackSteps(from: number, count: number): Record<string, Tensor> {
  const each = Array.from({ length: count }, (_, i) => stepFeeds(from + i));
  return Object.fromEntries(
    Object.entries(each[0]!).map(([name, { shape, data }]) => {
      const stacked = data.constructor as unknown as { new (size: number): Int32Array };
      const all = new stacked(data.length * count);
      for (const [i, feeds] of each.entries()) all.set(feeds[name]!.data as Int32Array, i * data.length);
      return [name, tensor([count, ...shape], all)];
    }),
  );
}
