/** What a step of pre-training reads: hidden tokens, candidates, and texts without repeats. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gradients } from "../../../../shared/engine/gradient.ts";
import { initialize, toOnnx } from "../../../../shared/engine/index.ts";
import { electra } from "../../../../shared/engine/models/electra.ts";
import { candidateSource } from "../../../../shared/engine/pretraining/candidates.ts";
import { hideTokens, nextTokens } from "../../../../shared/engine/pretraining/hiding.ts";
import { encodePassages, sentencesOf, stretchesOf } from "../../../../shared/engine/pretraining/passages.ts";
import { findRepeats, jaccard, signatureOf } from "../../../../shared/engine/pretraining/repeats.ts";
import { tokenLoss } from "../../../../shared/engine/pretraining/tokenLoss.ts";
import { padBatch } from "../../../../shared/engine/training/textBatches.ts";
import { dataOf, tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { numbers, withSession } from "../run.ts";

const texts = Array.from({ length: 40 }, (_, row) =>
  Int32Array.from({ length: 12 }, (_, i) => 5 + ((7 * row + 3 * i) % 50)),
);
const hiding = { mask: 4, isSpecial: (id: number) => id < 5, vocabulary: 60, seed: 9, step: 2 };

describe("hidden tokens", () => {
  it("are the same for the same seed and step, and others for another step", () => {
    assert.deepEqual(hideTokens(texts, hiding), hideTokens(texts, hiding));
    assert.notDeepEqual(hideTokens(texts, hiding).places, hideTokens(texts, { ...hiding, step: 3 }).places);
  });

  it("are some 15 in 100, of which most show the mask; the others are left alone", () => {
    const { rows, places, targets } = hideTokens(texts, hiding);
    assert.ok(places.length > 45 && places.length < 100, `${places.length} of 480`);
    const asked = new Set(places);
    const shown = [...places].map((place) => rows[Math.floor(place / 12)]![place % 12]!);
    assert.ok(shown.filter((id) => id === 4).length > 0.6 * places.length);
    for (const [i, place] of [...places].entries())
      assert.equal(targets[i], texts[Math.floor(place / 12)]![place % 12]);
    for (let place = 0; place < 480; place++) {
      if (!asked.has(place))
        assert.equal(rows[Math.floor(place / 12)]![place % 12], texts[Math.floor(place / 12)]![place % 12]);
    }
  });

  it("are at least one, and never a special one", () => {
    const { targets } = hideTokens([Int32Array.of(2, 17, 3)], hiding);
    assert.deepEqual([...targets], [17]);
    assert.equal(hideTokens([Int32Array.of(2, 3)], hiding).targets.length, 0);
  });

  it("or all but the first, where the next is asked for", () => {
    const { places, targets } = nextTokens([Int32Array.of(1, 6, 7), Int32Array.of(1, 8)]);
    assert.deepEqual(
      [[...places], [...targets]],
      [
        [0, 1, 3],
        [6, 7, 8],
      ],
    );
  });
});

describe("candidates", () => {
  const counts = Float64Array.from({ length: 400 }, (_, id) => 1000 / (id + 1));

  it("hold every target, and are drawn by step alone", () => {
    const source = candidateSource(counts, 60, 3);
    const targets = Int32Array.of(399, 3, 399);
    const drawn = source.draw(targets, 5);
    assert.deepEqual(drawn, source.draw(targets, 5));
    const ids = drawn.candidates.data as Int32Array;
    assert.ok(ids.length > 35 && ids.length < 90, `${ids.length}`);
    assert.deepEqual(
      [...(drawn.labels.data as Int32Array)].map((place) => ids[place]),
      [399, 3, 399],
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  it("give in the mean the gradient of the whole vocabulary, and exactly when they are all of it", async () => {
    const model = electra({
      ...{ hidden: 8, heads: 2, intermediate: 8, layers: 1, vocabulary: 400, positionRows: 12, tokenTypes: 1 },
      ...{ activation: "gelu", normEpsilon: 1e-12, tied: true, embedding: 8 },
    });
    const { loss, parameters } = tokenLoss(model, "masked");
    const watched = parameters.find(({ name }) => name === "generator_predictions.dense.weight")!;
    const gradient = gradients(loss, [watched]).get(watched)!;
    const initializers = dataOf(tensorsOf(parameters, initialize(parameters, 3, 0.2)));
    const some = texts.map((text) => text.map((id, i) => (id * 7 + i) % 400));
    const asked = hideTokens(some, { ...hiding, vocabulary: 400 });
    const feeds = { ...padBatch(asked.rows), places: { shape: [asked.places.length], data: asked.places } };
    await withSession(toOnnx({ outputs: { loss, gradient }, initializers }), async (session) => {
      const whole = candidateSource(counts, 400, 3);
      const exact = numbers((await session.run({ ...feeds, ...whole.all(asked.targets) })).gradient);
      assert.deepEqual(numbers((await session.run({ ...feeds, ...whole.draw(asked.targets, 0) })).gradient), exact);
      const source = candidateSource(counts, 150, 3);
      const mean = new Float64Array(exact.length);
      const draws = 60;
      for (let step = 0; step < draws; step++) {
        const found = numbers((await session.run({ ...feeds, ...source.draw(asked.targets, step) })).gradient);
        for (const [i, value] of found.entries()) mean[i]! += value / draws;
      }
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
      const likeness = dot(mean, exact) / Math.sqrt(dot(mean, mean) * dot(exact, exact));
      assert.ok(likeness > 0.97, `cosine ${likeness}`);
      const size = Math.sqrt(dot(mean, mean) / dot(exact, exact));
      assert.ok(size > 0.8 && size < 1.25, `size ${size}`);
    });
  });
});

describe("passages", () => {
  it("are sentences, also in writing without spaces", () => {
    assert.deepEqual(sentencesOf('He left. "Really?" Yes!\nA title\n3.5 percent'), [
      "He left.",
      '"Really?"',
      "Yes!",
      "A title",
      "3.5 percent",
    ]);
    assert.deepEqual(sentencesOf("你好。他说：“走吧！”好的"), ["你好。", "他说：“走吧！”", "好的"]);
  });

  it("are shown in stretches that end with their document", () => {
    const letters = { encodeBare: (text: string) => Array.from(text, (letter) => letter.charCodeAt(0)) };
    const passages = encodePassages([["abc", "de"], ["fghij"], ["kl"]], letters, 4);
    assert.deepEqual([...passages.documents], [0, 0, 1, 1, 2]);
    const { starts, ends } = stretchesOf(passages, 5);
    assert.deepEqual(
      [...starts].map((start, i) => String.fromCharCode(...passages.ids.subarray(start, ends[i]))),
      ["abcde", "fghij", "kl"],
    );
  });
});

describe("repeats", () => {
  const word = (i: number) => `word${(i * 7919) % 997}`;
  const long = (from: number) => Array.from({ length: 120 }, (_, i) => word(from + i)).join(" ");

  it("are found, exact ones and near ones, short and long; what only shares a word stays", () => {
    const documents = [
      "The train to Oslo leaves at nine.",
      "the  train to OSLO leaves at nine.",
      "The train to Oslo leaves at nine!",
      "ok",
      "no",
      long(0),
      `${long(0)} and a little more`,
      long(500),
      "The ship to Riga leaves at ten.",
    ];
    const { drop, exact, near } = findRepeats(documents);
    assert.deepEqual(
      [...drop.keys()].sort((a, b) => a - b),
      [1, 2, 6],
    );
    assert.deepEqual([exact, near], [1, 2]);
  });

  it("are estimated within three standard deviations", () => {
    let off = 0;
    for (let trial = 0; trial < 200; trial++) {
      const [shared, own] = [100 + trial, 20 + ((trial * 13) % 150)];
      const set = (side: number) =>
        new Set([
          ...Array.from({ length: shared }, (_, i) => Math.imul(trial * 1000 + i, 2654435761)),
          ...Array.from({ length: own }, (_, i) => Math.imul(side * 77777 + trial * 1000 + i, 40503)),
        ]);
      const [a, b] = [set(1), set(2)];
      const [one, other] = [signatureOf(a), signatureOf(b)];
      const estimate = one.filter((value, i) => value === other[i]).length / one.length;
      const truth = jaccard(a, b);
      if (Math.abs(estimate - truth) > 3 * Math.sqrt((truth * (1 - truth)) / 128)) off++;
    }
    assert.ok(off <= 4, `${off} of 200`);
  });
});
