/**
 * Twenty AdamW steps of tiny models of images, sounds, choices and words against PyTorch, whose numbers are in
 * test/support/golden.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  adamw,
  type BufferUpdates,
  carryOver,
  crossEntropy,
  embeddingBag,
  encoderInputs,
  input,
  linear,
  lstm,
  type Node,
  nextItemLoss,
  resNet,
  sasRec,
  type Tensor,
  temporalClassification,
  toOnnx,
  trainingStep,
  WeightScope,
  withoutBuffers,
} from "../../../../shared/engine/index.ts";
import golden from "../../../support/golden/imagesAndSequences.json" with { type: "json" };
import { assertClose, evaluate, numbers, pickFeeds, tensor, withSession } from "../run.ts";

interface Case {
  readonly logits: (scope: WeightScope, buffers?: BufferUpdates) => Node;
  readonly loss: (logits: Node) => Node;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** The rows of logits that mean something. Default: all. */
  readonly counted?: (row: number) => boolean;
}

const frames = input("sound", ["batch", 8, 3]);
const history = input("history", ["batch", "sequence"], "int32");
const chosen = Int32Array.of(3, 7, 1, 9, 4, 5, 5, 2, 0, 0, 8, 6, 4, 1, 0);
const words = Int32Array.of(3, 7, 1, 9, 5, 5, 2, 0, 8, 0, 0, 0);
const cases: Record<keyof typeof golden, Case> = {
  resNet: {
    logits: (scope, buffers) =>
      resNet(scope, input("image", ["batch", 2, 7, 6]), { widths: [4, 6], blocks: 1, labels: 3 }, buffers),
    loss: (logits) => crossEntropy(logits, input("labels", ["batch"], "int32")),
    feeds: { image: values("image", [4, 2, 7, 6], 1), labels: tensor([4], Int32Array.of(0, 2, 1, 2)) },
  },
  lstmCtc: {
    logits: (scope) => {
      const { states } = lstm(scope.scope("lstm"), frames, { hidden: 5, layers: 2, bidirectional: true });
      return linear(scope.scope("classifier"), states, 10, 4);
    },
    loss: (logits) =>
      temporalClassification(logits, {
        labels: input("labels", ["batch", 3], "int32"),
        lengths: input("lengths", ["batch"], "int32"),
      }),
    feeds: {
      sound: values("sound", [3, 8, 3], 1),
      labels: tensor([3, 3], Int32Array.of(1, 2, 2, 3, 1, 1, 2, 1, 1)),
      lengths: tensor([3], Int32Array.of(3, 1, 2)),
    },
  },
  sasRec: {
    logits: (scope) => sasRec(scope, history, { items: 9, hidden: 8, heads: 2, layers: 2, maxPositions: 6 }),
    loss: (scores) => nextItemLoss(scores, history),
    feeds: { history: tensor([3, 5], chosen) },
    counted: (row) => chosen[row] !== 0,
  },
  embeddingBag: {
    logits: (scope) => embeddingBag(scope, encoderInputs(), { vocabulary: 12, width: 6, labels: 3 }),
    loss: (logits) => crossEntropy(logits, input("labels", ["batch"], "int32")),
    feeds: {
      input_ids: tensor([3, 4], words),
      attention_mask: tensor(
        [3, 4],
        words.map((id) => (id > 0 ? 1 : 0)),
      ),
      labels: tensor([3], Int32Array.of(0, 2, 1)),
    },
  },
};

/** `values` of the script. */
function values(name: string, shape: readonly number[], size: number, centre = 0): Tensor {
  let state = ([...name].reduce((sum, letter, i) => sum + letter.charCodeAt(0) * (i + 1), 0) * 7919) % 2147483647;
  const length = shape.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return centre + size * ((2 * state) / 2147483647 - 1);
  });
  return tensor(shape, data);
}

/** `fill` of the script, and the statistics batch normalisation starts from. */
function firstValue({ name, type }: Node): [string, Tensor] {
  const shape = type.shape as number[];
  const isNorm = /(bn\d|downsample\.1|layernorm)\.weight$/.test(name!);
  if (/running_/.test(name!)) return [name!, tensor(shape, Array(shape[0]).fill(name!.endsWith("var") ? 1 : 0))];
  return [name!, values(name!, shape, isNorm ? 0.1 : 0.3, isNorm ? 1 : 0)];
}

describe("twenty steps of AdamW give PyTorch's losses and logits", () => {
  for (const [name, model] of Object.entries(cases) as [keyof typeof golden, Case][]) {
    it(name, async () => {
      const [scope, buffers] = [new WeightScope(), new Map<Node, Node>()];
      const step = trainingStep({
        loss: model.loss(model.logits(scope, buffers)),
        parameters: withoutBuffers(scope.parameters, buffers),
        optimizer: adamw({ learningRate: input("learning_rate", []), weightDecay: 0 }),
        buffers,
      });
      const losses: number[] = [];
      const trained = await withSession(toOnnx({ outputs: step.outputs }), async (session) => {
        let carried = { ...step.initialState, ...Object.fromEntries(scope.parameters.map(firstValue)) };
        for (const _ of golden[name].losses) {
          const fed = { ...model.feeds, learning_rate: tensor([], [0.01]), ...carried };
          const results = await session.run(pickFeeds(session, fed));
          losses.push(...numbers(results.loss));
          carried = carryOver(step, results);
        }
        return carried;
      });
      const found = await evaluate({ y: model.logits(new WeightScope()) }, { ...model.feeds, ...trained });
      assertClose(losses, golden[name].losses, 1e-4);
      const { counted = () => true } = model;
      const width = found.y!.shape.at(-1)!;
      const logits = numbers(found.y).filter((_, i) => counted(Math.floor(i / width)));
      assertClose(logits, golden[name].logits, 1e-4);
      assert.ok(losses.at(-1)! < losses[0]! * 0.9, "it learned");
    });
  }
});
