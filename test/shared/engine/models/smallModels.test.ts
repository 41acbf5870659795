/** Every small model learns a tiny batch by heart, and answers the same when its statistics are folded away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accuracy,
  adamw,
  audioCnn,
  type BufferUpdates,
  carryOver,
  crossEntropy,
  embeddingBag,
  encoderInputs,
  initializeByFan,
  input,
  type LinearModelName,
  linearLoss,
  linearModel,
  lstmClassifier,
  type Node,
  resNet,
  sgd,
  type Tensor,
  tabularInputs,
  tabularModel,
  textCnn,
  tinyResNet,
  toOnnx,
  trainingStep,
  WeightScope,
  withoutBuffers,
} from "../../../../shared/engine/index.ts";
import { assertClose, evaluate, numbers, pickFeeds, randomValues, tensor, withSession } from "../run.ts";

const rows = 8;
const labels = Int32Array.from({ length: rows }, (_, row) => (row * 5) % 3);
const labelNode = input("labels", ["batch"], "int32");
const tokens = Int32Array.from({ length: rows * 6 }, (_, i) => 1 + ((i * 7) % 19));
const mask = Int32Array.from({ length: rows * 6 }, (_, i) => (i % 6 < 2 + (Math.floor(i / 6) % 5) ? 1 : 0));
const texts = { input_ids: tensor([rows, 6], tokens), attention_mask: tensor([rows, 6], mask) };
const words = { vocabulary: 20, width: 8, labels: 3 };
const table = { numbers: 3, categories: [4, 2], hidden: [16, 8], outputs: 3 };
const columns = Int32Array.from({ length: rows * 2 }, (_, i) => (i % 2 ? (i >> 1) & 1 : (i >> 1) % 4));

const striding = { widths: [4, 8], blocks: 1, stem: { kernel: 5, stride: 2 }, labels: 3 };

interface Case {
  readonly logits: (scope: WeightScope, buffers?: BufferUpdates) => Node;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

const randomTensor = (seed: number, ...shape: number[]) =>
  tensor(
    shape,
    randomValues(
      shape.reduce((size, dim) => size * dim, 1),
      { seed },
    ),
  );

const cases: Record<string, Case> = {
  "a perceptron over a table": {
    logits: (scope, buffers) => tabularModel(scope, tabularInputs(table), table, buffers ? { buffers } : {}),
    feeds: { numbers: randomTensor(2, rows, 3), categories: tensor([rows, 2], columns) },
  },
  "a bag of words": {
    logits: (scope) => embeddingBag(scope, encoderInputs(), words),
    feeds: texts,
  },
  "a text CNN": {
    logits: (scope) => textCnn(scope, encoderInputs(), { ...words, kernels: [1, 3], filters: 6 }),
    feeds: texts,
  },
  "an LSTM classifier": {
    logits: (scope) => {
      const ids = input("input_ids", ["batch", 6], "int32");
      const seen = input("attention_mask", ["batch", 6], "int32");
      return lstmClassifier(scope, { input_ids: ids, attention_mask: seen }, { ...words, hidden: 8 });
    },
    feeds: texts,
  },
  "a small ResNet": {
    logits: (scope, buffers) =>
      resNet(scope, input("image", ["batch", 1, 8, 8]), { ...tinyResNet, widths: [4, 8], labels: 3 }, buffers),
    feeds: { image: randomTensor(3, rows, 1, 8, 8) },
  },
  "a ResNet whose first convolution halves the image": {
    logits: (scope, buffers) => resNet(scope, input("image", ["batch", 1, 8, 8]), striding, buffers),
    feeds: { image: randomTensor(3, rows, 1, 8, 8) },
  },
  "a CNN over time": {
    logits: (scope, buffers) =>
      audioCnn(scope, input("mel", ["batch", 5, 16]), { widths: [8, 8], labels: 3 }, buffers ? { buffers } : {}),
    feeds: { mel: randomTensor(4, rows, 5, 16) },
  },
};

function firstWeights(parameters: readonly Node[]): Record<string, Tensor> {
  const first = initializeByFan(parameters, 3);
  return Object.fromEntries(parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], first[name!]!)]));
}

async function learn({ logits, feeds }: Case, steps: number) {
  const [scope, buffers] = [new WeightScope(), new Map<Node, Node>()];
  const scores = logits(scope, buffers);
  const step = trainingStep({
    loss: crossEntropy(scores, labelNode),
    parameters: withoutBuffers(scope.parameters, buffers),
    optimizer: adamw({ learningRate: input("learning_rate", []), weightDecay: 0 }),
    buffers,
    metrics: { accuracy: accuracy(scores, labelNode) },
  });
  const fixed = { ...feeds, labels: tensor([rows], labels), learning_rate: tensor([], [0.02]) };
  return withSession(toOnnx({ outputs: step.outputs }), async (session) => {
    let carried: Record<string, Tensor> = { ...step.initialState, ...firstWeights(scope.parameters) };
    let results: Record<string, Tensor> = {};
    for (let i = 0; i < steps; i++) {
      results = await session.run(pickFeeds(session, { ...fixed, ...carried }));
      carried = carryOver(step, results);
    }
    return { carried, loss: numbers(results.loss)[0]!, accuracy: numbers(results.accuracy)[0]! };
  });
}

describe("learning a tiny batch by heart", () => {
  for (const [name, model] of Object.entries(cases)) {
    it(`${name}, which then answers right with what it carries`, async () => {
      const { carried, loss, accuracy: right } = await learn(model, 60);
      assert.ok(loss < 0.1 && right === 1, `loss ${loss}, accuracy ${right}`);
      const answers = numbers(
        (await evaluate({ y: model.logits(new WeightScope()) }, { ...model.feeds, ...carried })).y,
      );
      const best = Array.from({ length: rows }, (_, row) => {
        const scores = answers.slice(row * 3, row * 3 + 3);
        return scores.indexOf(Math.max(...scores));
      });
      assert.deepEqual(best, [...labels]);
    });
  }
});

describe("padding", () => {
  const shorter = tensor([1, 2], tokens.slice(0, 2));
  const alone = { input_ids: shorter, attention_mask: tensor([1, 2], Int32Array.of(1, 1)) };
  const padded = {
    input_ids: tensor([1, 6], tokens.slice(0, 6)),
    attention_mask: tensor([1, 6], Int32Array.of(1, 1, 0, 0, 0, 0)),
  };

  it("does not change what a text CNN answers", async () => {
    const scope = new WeightScope();
    const y = textCnn(scope, encoderInputs(), { ...words, kernels: [3, 5], filters: 6 });
    // Biases above zero would let a window of nothing but padding win.
    const weights = Object.fromEntries(
      Object.entries(firstWeights(scope.parameters)).map(([name, { shape, data }]) => [
        name,
        name.endsWith("bias") ? { shape, data: new Float32Array(data.length).fill(0.5) } : { shape, data },
      ]),
    );
    const [one, other] = [
      await evaluate({ y }, { ...alone, ...weights }),
      await evaluate({ y }, { ...padded, ...weights }),
    ];
    assertClose(numbers(one.y), numbers(other.y), 1e-6);
  });

  it("cannot be centred under an even window, which is refused", () => {
    assert.throws(() => textCnn(new WeightScope(), encoderInputs(), { ...words, kernels: [4], filters: 2 }), /4 words/);
  });
});

it("a ResNet's first window has a middle", () => {
  const image = input("image", ["batch", 1, 8, 8]);
  const even = { ...striding, stem: { kernel: 4, stride: 2 } };
  assert.throws(() => resNet(new WeightScope(), image, even), /a window of 4 pixels has no middle/);
});

describe("one linear layer", () => {
  const x = randomTensor(6, 12, 3);
  const truth = [1, -2, 0.5];
  const scoreOf = (row: number) => truth.reduce((sum, w, i) => sum + w * Number(x.data[row * 3 + i]), 0.25);
  const features = input("x", ["batch", 3]);
  const side = Int32Array.from({ length: 12 }, (_, row) => (scoreOf(row) > 0 ? 1 : 0));

  async function fit(name: LinearModelName, targets: Node, fed: Tensor, l2 = 0, steps = 400) {
    const scope = new WeightScope();
    const outputs = name === "linearRegression" ? 1 : 2;
    const scores = linearModel(scope, features, { features: 3, outputs });
    const loss = linearLoss(name, scope, { scores, targets }, { l2 });
    const step = trainingStep({
      loss,
      parameters: scope.parameters,
      optimizer: sgd({ learningRate: input("learning_rate", []), momentum: 0.9 }),
    });
    return withSession(toOnnx({ outputs: { ...step.outputs, scores } }), async (session) => {
      let carried: Record<string, Tensor> = { ...step.initialState, ...firstWeights(scope.parameters) };
      let results: Record<string, Tensor> = {};
      for (let i = 0; i < steps; i++) {
        results = await session.run({ x, targets: fed, learning_rate: tensor([], [0.1]), ...carried });
        carried = carryOver(step, results);
      }
      return { carried, scores: numbers(results.scores) };
    });
  }

  it("finds the weights of a linear function", async () => {
    const targets = tensor(
      [12, 1],
      Array.from({ length: 12 }, (_, row) => scoreOf(row)),
    );
    const { carried } = await fit("linearRegression", input("targets", ["batch", 1]), targets);
    assertClose(numbers(carried.weight), truth, 1e-4);
    assertClose(numbers(carried.bias), [0.25], 1e-4);
  });

  for (const name of ["logisticRegression", "linearSupportVectors"] as const) {
    it(`${name} tells two sides of a plane apart, and a penalty keeps its weights small`, async () => {
      const targets = input("targets", ["batch"], "int32");
      const free = await fit(name, targets, tensor([12], side));
      const found = Array.from(side, (_, row) => (free.scores[row * 2 + 1]! > free.scores[row * 2]! ? 1 : 0));
      assert.deepEqual(found, [...side]);
      const norm = (weight: Tensor | undefined) => Math.hypot(...numbers(weight));
      const held = await fit(name, targets, tensor([12], side), 1);
      assert.ok(norm(held.carried.weight) < norm(free.carried.weight) / 2);
    });
  }
});
