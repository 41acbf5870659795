/** The pieces of a race: how logits are weighed, who wins, what is held back, and which rows meet. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normals } from "../../../../shared/engine/index.ts";
import { fitBalance, withBias } from "../../../../shared/engine/race/balance.ts";
import { crossFitted, fitScales } from "../../../../shared/engine/race/combination.ts";
import { stratifiedFolds, stratifiedSample } from "../../../../shared/engine/race/folds.ts";
import { fitOutOfScope, outOfScopeLabel, withOutOfScope } from "../../../../shared/engine/race/outOfScope.ts";
import { beatsFrozen, type Field, type Finished, isNearlyRight } from "../../../../shared/engine/race/race.ts";
import { verdictOn, wilson } from "../../../../shared/engine/race/verdict.ts";
import { contrastiveBatches, contrastivePairs } from "../../../../shared/engine/training/contrastiveBatches.ts";
import { evaluate } from "../../../../shared/engine/training/evaluation.ts";

/** Rows of `classes` labels, whose own logit is higher by `lead` than noise. */
function held(rows: number, classes: number, lead: number, seed: number) {
  const labels = Int32Array.from({ length: rows }, (_, row) => row % classes);
  const logits = normals(rows * classes, { seed });
  for (const [row, label] of labels.entries()) logits[row * classes + label]! += lead;
  return { logits, labels, classes };
}

describe("a weighted sum of logits", () => {
  it("weighs what tells most, and leaves out what tells nothing", () => {
    const good = held(600, 4, 3, 1);
    const noise = held(600, 4, 0, 2);
    const [a, b] = fitScales({ logits: [good.logits, noise.logits], labels: good.labels, classes: 4 });
    // Logits of unit noise and lead 3 are log-likelihood ratios at a weight of 3.
    assert.ok(a! > 2 && a! < 4 && b! < 0.3, `${a} ${b}`);
  });

  it("is better of two different views than either", () => {
    const [one, two] = [held(900, 4, 1.2, 3), held(900, 4, 1.2, 4)];
    const together = evaluate(crossFitted({ ...one, logits: [one.logits, two.logits] }));
    assert.ok(together.accuracy > evaluate(one).accuracy + 0.05);
    assert.ok(together.loss < evaluate(crossFitted({ ...one, logits: [one.logits] })).loss);
  });
});

describe("the verdict", () => {
  const rival = (name: string, lead: number, seed: number) => {
    const { logits, ...rest } = held(900, 4, lead, seed);
    return { name, held: crossFitted({ ...rest, logits: [logits] }) };
  };

  it("goes to whoever surprises least", () => {
    assert.equal(verdictOn([rival("cheap", 1, 5), rival("dear", 2, 6)]).winner, "dear");
  });

  it("goes to a cheaper one that is as good", () => {
    const best = rival("dear", 2, 7);
    const { winner, why } = verdictOn([{ ...best, name: "cheap" }, rival("middling", 1, 8), best]);
    assert.equal(winner, "cheap");
    assert.match(why, /highest probability/);
  });

  it("knows how sure a share of few rows is", () => {
    // 81 of 263, by Wilson 1927: Newcombe 1998, table I.
    const { low, high } = wilson(81 / 263, 263);
    assert.ok(Math.abs(low - 0.2553) < 1e-4 && Math.abs(high - 0.3662) < 1e-4);
  });
});

describe("folds", () => {
  const labels = Int32Array.from({ length: 103 }, (_, row) => (row % 10 === 0 ? 1 : 0));

  it("hold every row once, and each label's share", () => {
    const folds = stratifiedFolds(labels, 4, 1);
    assert.deepEqual(
      folds.flatMap((fold) => [...fold]).sort((a, b) => a - b),
      [...labels.keys()],
    );
    for (const fold of folds) {
      const rare = fold.filter((row) => labels[row] === 1).length;
      assert.ok(rare >= 2 && rare <= 3 && fold.length >= 25 && fold.length <= 26);
    }
  });

  it("are sampled with at least one row of each label", () => {
    const sample = stratifiedSample(labels, Int32Array.from(labels.keys()), 5, 1);
    assert.ok(sample.length <= 6);
    assert.ok(sample.some((row) => labels[row] === 1));
  });
});

describe("a label that stands for none of the others", () => {
  it("is known by its name", () => {
    assert.equal(outOfScopeLabel(["play", "OOS"]), 1);
    assert.equal(outOfScopeLabel(["out_of_scope", "stop"]), 0);
    assert.equal(outOfScopeLabel(["spam", "other news"]), undefined);
  });

  it("is found more often by doubt, at little cost to the others", () => {
    const judged = held(1200, 6, 4, 9);
    // Rows of none: all logits alike, the label's own not higher than others.
    for (const [row, label] of judged.labels.entries()) if (label === 5) judged.logits[row * 6 + 5]! -= 4;
    const rule = fitOutOfScope(judged, 5)!;
    const logits = judged.logits.slice();
    for (let at = 0; at < logits.length; at += 6) logits.set(withOutOfScope(logits.slice(at, at + 6), rule), at);
    const right = (found: Float32Array, isOut: boolean) => {
      const rows = [...judged.labels.keys()].filter((row) => (judged.labels[row] === 5) === isOut);
      const hits = rows.filter((row) => {
        const own = found.subarray(row * 6, row * 6 + 6);
        return own.indexOf(Math.max(...own)) === judged.labels[row];
      });
      return hits.length / rows.length;
    };
    assert.ok(right(judged.logits, true) < 0.3 && right(logits, true) > 0.5);
    assert.ok(right(logits, false) >= right(judged.logits, false) - 0.0151);
  });
});

describe("rare labels", () => {
  it("are found by holding frequent ones back, where that raises macro-F1", () => {
    const judged = held(2000, 2, 1.5, 10);
    const labels = Int32Array.from({ length: 2000 }, (_, row) => Number(row % 20 === 0));
    const logits = normals(4000, { seed: 11 });
    for (const [row, label] of labels.entries()) {
      logits[row * 2 + label]! += 1.5;
      logits[row * 2]! += Math.log(19) * 1.5;
    }
    assert.equal(fitBalance(judged, [1000, 1000]), null);
    const balance = fitBalance({ logits, labels, classes: 2 }, [1900, 100])!;
    assert.ok(balance.strength > 0 && balance.bias[1]! > balance.bias[0]!);
    const scoreOf = (strength: number) => {
      const bias = [0.95, 0.05].map((share) => -strength * Math.log(share));
      return evaluate(withBias({ logits, labels, classes: 2 }, bias)).macroF1;
    };
    const best = Math.max(...Array.from({ length: 101 }, (_, i) => scoreOf(i / 100)));
    assert.ok(scoreOf(0) < best - 0.05 && scoreOf(balance.strength) > best - 0.02);
  });
});

describe("contrastive steps", () => {
  const labels = Int32Array.from({ length: 300 }, (_, row) => row % 40);

  it("draw several rows of each of some labels, the same for the same step", () => {
    const batches = contrastiveBatches(labels, 3);
    const rows = batches.rowsOf(5);
    assert.deepEqual(rows, contrastiveBatches(labels, 3).rowsOf(5));
    assert.notDeepEqual(rows, batches.rowsOf(6));
    assert.equal(new Set(rows).size, rows.length);
    const counts = Map.groupBy(rows, (row) => labels[row]!);
    assert.ok(counts.size > 10 && [...counts.values()].every((own) => own.length >= 2));
  });

  it("count every pair of a label alike, and no row with itself", () => {
    const { hidden, partners } = contrastivePairs(Int32Array.from([0, 0, 1, 2, 2, 2]));
    const sum = (partners.data as Float32Array).reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum - 1) < 1e-6);
    assert.deepEqual([...(partners.data as Float32Array).subarray(12, 18)], [0, 0, 0, 0, 0, 0], "one of its kind");
    assert.ok((hidden.data as Float32Array).every((value, i) => (i % 7 === 0 ? value < -1e8 : value === 0)));
  });
});

describe("a race that n-grams have all but won", () => {
  const judged = (count: number, wrong: number) => {
    const labels = Int32Array.from({ length: count }, (_, row) => row % 2);
    const rows = Int32Array.from(labels.keys());
    const says = (row: number) => (row < wrong ? 1 - labels[row]! : labels[row]!);
    const logits = Float32Array.from({ length: 2 * count }, (_, i) => (says(i >> 1) === i % 2 ? 3 : 0));
    const field = { rows, examples: { texts: [], labels, lines: null }, folds: [] } as unknown as Field;
    return isNearlyRight({ rows, logits } as unknown as Finished, field, 2);
  };

  it("ends, where rows are enough to be sure of it", () => {
    assert.deepEqual([judged(1000, 0), judged(1000, 5), judged(3000, 30)], [true, true, true]);
    assert.deepEqual([judged(1000, 20), judged(1000, 60), judged(150, 0)], [false, false, false]);
  });
});

describe("a tuned base", () => {
  const labels = Int32Array.from({ length: 600 }, (_, row) => row % 2);
  const field = { rows: labels.keys(), examples: { labels } } as unknown as Field;
  /** By a margin before noise that is the same for all. */
  const entrant = (name: string, margin: number, rows: Int32Array) => {
    const noise = normals(1200, { seed: 5, stream: name.length });
    const says = (row: number) => [0, 1].map((label) => (labels[row] === label ? margin : 0) + noise[row * 2 + label]!);
    return [name, { name, rows, logits: Float32Array.from([...rows].flatMap(says)) } as Finished] as const;
  };
  const all = Int32Array.from(labels.keys());
  const some = all.filter((row) => row % 3 === 1);

  it("has to beat the base as it is by the rows that it judged", () => {
    const come = new Map([
      entrant("ngram", 1, all),
      entrant("frozen", 1, all),
      entrant("contrastive", 0.2, some),
      entrant("lora", 2.5, some),
    ]);
    assert.deepEqual(
      ["lora", "contrastive"].map((name) => beatsFrozen(come, field, name)),
      [true, false],
    );
  });
});
