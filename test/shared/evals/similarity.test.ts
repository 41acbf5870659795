/** Similarities of texts, beside those of NLTK, rapidfuzz and ROUGE's definition. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { longestCommon } from "../../../shared/evals/longestCommon.ts";
import { similarities } from "../../../shared/evals/similarity.ts";

interface Golden {
  input: string;
  reference: string;
  measures: Record<keyof typeof similarities, number>;
}

const url = new URL("../../support/golden/textSimilarity.json", import.meta.url);
const golden: Golden[] = JSON.parse(await readFile(url, "utf8"));

for (const [name, measure] of Object.entries(similarities)) {
  test(`${name} is what the reference gives`, () => {
    for (const { input, reference, measures } of golden) {
      const [found, wanted] = [measure(input, reference), measures[name as keyof typeof similarities]];
      assert.ok(Math.abs(found - wanted) < 1e-12, `'${input}' beside '${reference}': ${found}, not ${wanted}`);
    }
  });
}

test("every measure is from 0 to 1, and 1 of enough of the same text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      for (const measure of Object.values(similarities)) {
        const found = measure(a, b);
        assert.ok(found >= 0 && found <= 1);
      }
    }),
    { numRuns: 200, seed: 7 },
  );
  const text = "one two three four five six";
  for (const [name, measure] of Object.entries(similarities)) {
    assert.ok(measure(text, text) > 0.99, name);
  }
});

test("the longest common subsequence is that of the table of all prefixes, over many words of bits", () => {
  const byTable = (a: readonly string[], b: readonly string[]) => {
    let above = new Array<number>(b.length + 1).fill(0);
    for (const x of a) {
      const row = [0];
      for (const [j, y] of b.entries()) row.push(x === y ? above[j]! + 1 : Math.max(above[j + 1]!, row[j]!));
      above = row;
    }
    return above.at(-1)!;
  };
  const symbols = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 150 });
  fc.assert(
    fc.property(symbols, symbols, (a, b) => {
      assert.equal(longestCommon(a, b), byTable(a, b));
    }),
    { numRuns: 200, seed: 7 },
  );
});
