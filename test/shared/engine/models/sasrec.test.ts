/** Sequential recommendation: it finds the rule of a catalogue, sees no future, and is blind to padding. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  adamw,
  carryOver,
  initializeByFan,
  input,
  nextItemLoss,
  sasRec,
  type Tensor,
  toOnnx,
  trainingStep,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import { assertClose, evaluate, numbers, pickFeeds, tensor, withSession } from "../run.ts";

const config = { items: 10, hidden: 16, heads: 2, layers: 1, maxPositions: 6 };
const history = input("history", ["batch", "sequence"], "int32");

function firstWeights(scope: WeightScope): Record<string, Tensor> {
  const first = initializeByFan(scope.parameters, 5);
  return Object.fromEntries(
    scope.parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], first[name!]!)]),
  );
}

/** What follows depends on the last two items, so that one alone does not tell. */
function following(a: number, b: number): number {
  return 1 + ((a + 2 * b) % config.items);
}

function historyFrom(a: number, b: number, length: number): number[] {
  const items = [a, b];
  while (items.length < length) items.push(following(items.at(-2)!, items.at(-1)!));
  return items;
}

const histories = Array.from({ length: 24 }, (_, i) => historyFrom(1 + (i % 10), 1 + ((i * 3) % 10), 6));
const scope = new WeightScope();
const scores = sasRec(scope, history, config);

describe("sequential recommendation", () => {
  it("learns which item two others lead to", async () => {
    const step = trainingStep({
      loss: nextItemLoss(scores, history),
      parameters: scope.parameters,
      optimizer: adamw({ learningRate: input("learning_rate", []), weightDecay: 0 }),
    });
    const fixed = {
      history: tensor([24, 6], Int32Array.from(histories.flat())),
      learning_rate: tensor([], [0.01]),
    };
    const trained = await withSession(toOnnx({ outputs: step.outputs }), async (session) => {
      let carried: Record<string, Tensor> = { ...step.initialState, ...firstWeights(scope) };
      for (let i = 0; i < 150; i++) {
        carried = carryOver(step, await session.run(pickFeeds(session, { ...fixed, ...carried })));
      }
      return carried;
    });
    const found = numbers((await evaluate({ scores }, { ...fixed, ...trained })).scores);
    const hits = histories.flatMap((items, row) =>
      [1, 2, 3, 4].map((at) => {
        const start = (row * 6 + at) * 11;
        const each = found.slice(start, start + 11);
        return each.indexOf(Math.max(...each)) === items[at + 1] ? 1 : 0;
      }),
    );
    assert.ok(hits.reduce<number>((sum, hit) => sum + hit, 0) / hits.length > 0.95);
  });

  it("scores a position by what came before, not after, and not by padding behind", async () => {
    const score = async (...items: number[]) => {
      const fed = { history: tensor([1, items.length], Int32Array.from(items)), ...firstWeights(scope) };
      return numbers((await evaluate({ scores }, fed)).scores).slice(0, 22);
    };
    const [alone, followed, padded] = [await score(3, 7), await score(3, 7, 9), await score(3, 7, 0, 0)];
    assertClose(followed, alone, 1e-6);
    assertClose(padded, alone, 1e-6);
    assert.notDeepEqual(await score(7, 3), alone);
  });

  it("counts only items that are there and have a next one", async () => {
    const loss = nextItemLoss(scores, history);
    const of = async (shape: [number, number], items: number[]) => {
      const fed = { history: tensor(shape, Int32Array.from(items)), ...firstWeights(scope) };
      return numbers((await evaluate({ loss }, fed)).loss);
    };
    assertClose(await of([2, 4], [3, 7, 9, 0, 0, 0, 0, 0]), await of([1, 3], [3, 7, 9]), 1e-6);
  });
});
