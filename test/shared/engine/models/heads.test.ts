/** Every head on every family: what it gives, what it learns by heart, and that it learns the same each time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  binaryCrossEntropy,
  causalCrossEntropy,
  crossEntropy,
  initialize,
  input,
  maskedCrossEntropy,
  meanSquaredError,
  type Node,
  type Tensor,
  toOnnx,
} from "../../../../shared/engine/index.ts";
import { cosine } from "../../../../shared/engine/models/heads.ts";
import type { HeadName, LanguageModel } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import { headParameters, lastLayers } from "../../../../shared/engine/models/trainable.ts";
import { dataOf, tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { bytesOf, numbers, tensor, withSession } from "../run.ts";
import { type TinyName, tinyBuilt, tinyConfigs, tinyFeeds, tinyModel } from "./tinyModels.ts";
import { train } from "./tinyTraining.ts";

interface Task {
  readonly head: HeadName;
  readonly labels: number;
  readonly shape: readonly (number | string)[];
  readonly loss: (output: Node) => Node;
  readonly target: Tensor;
}

const ids = (name: string, ...shape: (number | string)[]) => input(name, ["batch", ...shape], "int32");
const floats = (...shape: (number | string)[]) => input("labels", ["batch", ...shape]);
const perToken = tensor([2, 5], Int32Array.of(0, 2, 1, -100, 2, 1, 1, 0, -100, -100));

const tasks: Record<string, Task> = {
  "single-label classification": {
    head: "sequence",
    labels: 3,
    shape: ["batch", 3],
    loss: (output) => crossEntropy(output, ids("labels")),
    target: tensor([2], Int32Array.of(2, 0)),
  },
  "multi-label classification": {
    head: "sequence",
    labels: 3,
    shape: ["batch", 3],
    loss: (output) => binaryCrossEntropy(output, floats(3)),
    target: tensor([2, 3], [1, 0, 1, 0, 0, 1]),
  },
  regression: {
    head: "sequence",
    labels: 1,
    shape: ["batch", 1],
    loss: (output) => meanSquaredError(output, floats(1)),
    target: tensor([2, 1], [0.7, -1.2]),
  },
  "token classification": {
    head: "token",
    labels: 3,
    shape: ["batch", "sequence", 3],
    loss: (output) => maskedCrossEntropy(output, ids("labels", "sequence")),
    target: perToken,
  },
  "hidden tokens": {
    head: "masked",
    labels: 1,
    shape: ["batch", "sequence", 40],
    loss: (output) => maskedCrossEntropy(output, ids("labels", "sequence")),
    target: tensor([2, 5], Int32Array.of(-100, 9, -100, 2, -100, 8, -100, 3, -100, -100)),
  },
  "extractive span": {
    head: "span",
    labels: 2,
    shape: ["batch", 2, "sequence"],
    loss: (output) => crossEntropy(output, ids("labels", 2)),
    target: tensor([2, 2], Int32Array.of(1, 3, 0, 2)),
  },
};

const causalTask: Task = {
  head: "causal",
  labels: 1,
  shape: ["batch", "sequence", 40],
  loss: (output) => causalCrossEntropy(output, ids("labels", "sequence")),
  target: tensor([2, 5], Int32Array.of(5, 9, 31, 2, 17, 8, 25, 3, -100, -100)),
};

function learn(name: TinyName, task: Task, choose = (_: LanguageModel, all: readonly Node[]) => all, steps = 12) {
  const { model, output, scope } = tinyBuilt(name, task);
  assert.deepEqual(output.type.shape, task.shape);
  const weights = tensorsOf(scope.parameters, initialize(scope.parameters, 7, 0.1));
  const feeds = { ...tinyFeeds, labels: task.target };
  const parameters = choose(model, scope.parameters);
  return train({ loss: task.loss(output), parameters, weights, feeds, steps });
}

describe("a tiny model learns by heart", () => {
  const causal = ["llama", "gpt2", "qwen2"] as const;
  // A family and its relatives differ in their layers and in these two heads, and share the others.
  const own = ["single-label classification", "token classification"];
  const all = Object.keys(tasks);
  for (const [name, titles] of [
    ["bert", all],
    ["llama", all.filter((title) => tasks[title]!.head !== "masked")],
    ["roberta", own],
    ["distilbert", own],
    ["gpt2", own],
  ] as const) {
    for (const title of titles) {
      const task = tasks[title]!;
      it(`${title}: ${name}`, async () => {
        const { losses } = await learn(name, task);
        assert.ok(losses.at(-1)! < losses[0]! / 2, `the losses are ${losses}`);
      });
    }
  }
  for (const name of causal) {
    it(`next tokens, bit for bit the same each time: ${name}`, async () => {
      const [first, second] = [
        await learn(name, causalTask, undefined, 25),
        await learn(name, causalTask, undefined, 25),
      ];
      assert.ok(first.losses.at(-1)! < 0.5, `the losses are ${first.losses}`);
      assert.deepEqual(first.losses, second.losses);
      for (const [weight, value] of Object.entries(first.weights)) {
        assert.ok(bytesOf(value).equals(bytesOf(second.weights[weight]!)), weight);
      }
    });
  }

  it("which texts are alike", async () => {
    const { model, output, scope } = tinyBuilt("bert", { head: "similarity" });
    const other = { input_ids: ids("other_ids", "other"), attention_mask: ids("other_mask", "other") };
    const again = buildModel(model, { head: "similarity" }, { inputs: other, scope });
    const loss = meanSquaredError(cosine(output, again.output), input("labels", ["batch"]));
    const weights = tensorsOf(scope.parameters, initialize(scope.parameters, 7, 0.1));
    const feeds = {
      ...tinyFeeds,
      other_ids: tensor([2, 3], Int32Array.of(4, 6, 30, 12, 13, 0)),
      other_mask: tensor([2, 3], Int32Array.of(1, 1, 1, 1, 1, 0)),
      labels: tensor([2], [0.9, -0.5]),
    };
    const { losses } = await train({ loss, parameters: scope.parameters, weights, feeds, steps: 12 });
    assert.ok(losses.at(-1)! < losses[0]! / 4, `the losses are ${losses}`);
  });
});

describe("with part of the weights chosen", () => {
  const task = tasks["token classification"]!;

  it("a linear probe moves the head alone", async () => {
    const { losses, weights } = await learn("bert", task, headParameters);
    assert.deepEqual(Object.keys(weights).sort(), ["classifier.bias", "classifier.weight"]);
    assert.ok(losses.at(-1)! < losses[0]!);
    const { model, scope } = tinyBuilt("llama", { head: "similarity" });
    assert.throws(() => headParameters(model, scope.parameters), /the head has no weights to train/);
  });

  it("the last layers move with what lies behind them", async () => {
    const { losses, weights } = await learn("llama", task, (model, all) => lastLayers(model, all, 1));
    assert.ok(losses.at(-1)! < losses[0]!);
    const moved = Object.keys(weights);
    assert.ok(moved.includes("model.norm.weight") && moved.includes("score.weight"));
    const others = moved.filter((name) => !/^model\.layers\.1\.|^model\.norm|^score/.test(name));
    assert.deepEqual(others, []);
    assert.equal(moved.length, 9 + 1 + 2);
    const { model, scope } = tinyBuilt("llama", task);
    assert.equal(lastLayers(model, scope.parameters, 0).length, 2);
    assert.equal(lastLayers(model, scope.parameters, 2).length, scope.parameters.length - 1);
    assert.throws(() => lastLayers(model, scope.parameters, 3), /of 2 layers has no last 3/);
  });
});

describe("a causal model's text head", () => {
  it("reads the last token before the padding", async () => {
    const { output, weights } = tinyBuilt("llama", { head: "sequence", labels: 3 });
    await withSession(toOnnx({ outputs: { output }, initializers: dataOf(weights) }), async (session) => {
      const ids = tinyFeeds.input_ids!.data as Int32Array;
      const answer = async (input_ids: Int32Array) =>
        numbers((await session.run({ ...tinyFeeds, input_ids: tensor([2, 5], input_ids) })).output);
      const first = await answer(ids);
      const changed = await answer(ids.with(4, 18).with(7, 30));
      assert.ok(
        first.every((logit, i) => Math.abs(logit - changed[i]!) > 1e-6),
        `${first} and ${changed}`,
      );
      assert.deepEqual(await answer(ids.with(8, 18)), first);
    });
  });
});

describe("padding", () => {
  for (const name of Object.keys(tinyConfigs) as TinyName[]) {
    it(`changes no answer: ${name}`, async () => {
      const heads = Object.keys(tinyModel(name).heads) as HeadName[];
      for (const head of heads) {
        const { output, weights } = tinyBuilt(name, { head, labels: 3 });
        await withSession(toOnnx({ outputs: { output }, initializers: dataOf(weights) }), async (session) => {
          const together = (await session.run(tinyFeeds)).output!;
          const alone = (await session.run(secondText())).output!;
          const row = numbers(together).slice(numbers(together).length / 2);
          const [padded, bare] = [unpadded(head, row), numbers(alone)];
          assert.equal(padded.length, bare.length);
          for (const [i, value] of bare.entries()) assert.ok(Math.abs(value - padded[i]!) < 1e-5, `${head} ${i}`);
        });
      }
    });
  }

  /** The second of the tiny texts without its padding. */
  function secondText(): Record<string, Tensor> {
    const input_ids = (tinyFeeds.input_ids!.data as Int32Array).slice(5, 8);
    return { input_ids: tensor([1, 3], input_ids), attention_mask: tensor([1, 3], new Int32Array(3).fill(1)) };
  }

  /** What a head gives for the three tokens of a text of five. */
  function unpadded(head: HeadName, row: number[]): number[] {
    if (head === "span") return [...row.slice(0, 3), ...row.slice(5, 8)];
    return head === "token" || head === "causal" || head === "masked" ? row.slice(0, (row.length / 5) * 3) : row;
  }
});
