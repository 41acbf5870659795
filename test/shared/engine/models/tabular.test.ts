/** A job's learner on tables: it reads whatever columns come, chooses the model that fits, and goes on from any step. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tabularArchitecture } from "../../../../shared/engine/models/tabularClassifier.ts";
import { createTabularLearner } from "../../../../shared/engine/models/tabularLearner.ts";
import { mixSeeds } from "../../../../shared/engine/random.ts";
import { evaluate } from "../../../../shared/engine/training/evaluation.ts";
import type { Examples } from "../../../../shared/engine/training/examples.ts";

type Cells = Record<string, string>;

function examples(rows: readonly { cells: Cells; label: number }[]): Examples {
  return {
    texts: rows.map(({ cells }) => JSON.stringify(cells)),
    labels: Int32Array.from(rows, ({ label }) => label),
  };
}

const draw = (i: number, column: number, below: number) => mixSeeds(i, column) % below;

/** Two numbers and a category, and a label of them. */
function table(count: number, labelOf: (a: number, b: number, c: number) => boolean) {
  return Array.from({ length: count }, (_, i) => {
    const [a, b, c] = [draw(i, 0, 100), draw(i, 1, 100), draw(i, 2, 3)] as const;
    return { cells: { a: String(a), b: String(b), c: `v${c}` }, label: labelOf(a, b, c) ? 1 : 0 };
  });
}

function learn(train: Examples, valid: Examples, epochs = 1) {
  const hyperparameters = { n_epochs: epochs, batch_size: 16, learning_rate_multiplier: 1 };
  const options = { train, valid, refit: true, classes: 2, base: null, hyperparameters, seed: 3, threads: 1 };
  return createTabularLearner(options);
}

describe("the better model is kept", () => {
  const cases = {
    additive: (a: number, b: number, c: number) => (a - 50) ** 2 / 900 + b / 60 + c > 2.4,
    // A label of two columns that neither tells alone.
    perceptron: (a: number, b: number) => a > 50 !== b > 50,
  };
  for (const [model, labelOf] of Object.entries(cases)) {
    it(model, async () => {
      const rows = table(700, labelOf);
      const learner = await learn(examples(rows.slice(200)), examples(rows.slice(0, 200)), 24);
      for (let n = 0; n < learner.totalSteps; n++) await learner.step(n);
      const { accuracy } = evaluate(await learner.validate());
      assert.equal(learner.table!.model, model);
      assert.ok(accuracy > 0.9, `${accuracy}`);
      const names = Object.keys(learner.weights());
      assert.ok(names.every((name) => name.startsWith(`${model}.`) || name === "mean_row"));
      await learner.release();
    });
  }
});

describe("whatever columns come", () => {
  const plain = table(40, (a) => a > 50);
  const cases: Record<string, [Cells[], Cells[], (i: number) => string]> = {
    "a word among numbers, but only in the rows held out": [
      [{ n: "1" }, { n: "2" }],
      [{ n: "12 kg" }],
      () => "category",
    ],
    "a number that never varies": [[{ n: "3" }], [{ n: "4" }], () => "category"],
    "a column that only rows held out have": [[{}], [{ n: "4" }], () => "category"],
    "a number that is missing in half of the rows": [[{ n: "1" }, {}, { n: "5" }, {}], [{}], () => "number"],
    "a value for each row, as of names": [plain.map((_, i) => ({ n: `name ${i}` })), [{ n: "new" }], () => "category"],
    "a number too large for a float32": [[{ n: "1e29" }, { n: "-1e29" }, { n: "3" }], [{ n: "7" }], () => "number"],
  };
  for (const [name, [trained, held, kind]] of Object.entries(cases)) {
    it(name, async () => {
      const train = plain.map(({ cells, label }, i) => ({
        cells: { ...cells, ...trained[i % trained.length] },
        label,
      }));
      const valid = table(8, (a) => a > 50).map((row, i) => ({
        ...row,
        cells: { ...row.cells, ...held[i % held.length] },
      }));
      const learner = await learn(examples(train), examples(valid));
      const { loss } = await learner.step(0);
      const { logits } = await learner.validate();
      assert.ok(Number.isFinite(loss) && logits.every(Number.isFinite));
      const { encoding, model } = learner.table!;
      assert.equal(encoding.columns.find((column) => column.name === "n")!.kind, kind(0));
      const weights = new Map(
        Object.entries(learner.weights()).map(([key, { shape, data }]) => [key, { shape, data }] as const),
      );
      const classifier = await tabularArchitecture.createClassifier!(weights, {
        ...{ classes: 2, threads: 1, table: { encoding, model } },
      });
      const served = await classifier.classify(examples(valid).texts);
      for (const [row, own] of served.logits.entries()) {
        for (const [label, logit] of own.entries()) assert.ok(Math.abs(logit - logits[row * 2 + label]!) < 1e-5);
      }
      await Promise.all([learner.release(), classifier.release()]);
    });
  }
});

it("a learner that goes on from another's state takes the same steps to the bit", async () => {
  const rows = table(80, (a, b) => a > b);
  const parts = [examples(rows.slice(16)), examples(rows.slice(0, 16))] as const;
  const [whole, first, second] = await Promise.all([learn(...parts, 4), learn(...parts, 4), learn(...parts, 4)]);
  for (let n = 0; n < 9; n++) await whole.step(n);
  for (let n = 0; n < 5; n++) {
    await first.step(n);
    if (first.isEvaluated(n)) await first.validate();
  }
  second.restore(first.state());
  for (let n = 5; n < 9; n++) await second.step(n);
  const left = (learner: typeof whole) => {
    const { leader: _, ...state } = learner.state();
    return state;
  };
  assert.deepEqual(left(second), left(whole));
  assert.deepEqual(await second.validate(), await whole.validate());
  assert.deepEqual(second.weights(), whole.weights());
  await Promise.all([whole, first, second].map((learner) => learner.release()));
});
