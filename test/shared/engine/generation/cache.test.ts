/** The cache of keys and values against lists of numbers, through any order of joining, growing and leaving. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TextCache } from "../../../../shared/engine/generation/cache.ts";
import type { Tensor } from "../../../../shared/engine/index.ts";
import { permutation, philox } from "../../../../shared/engine/index.ts";

const layout = { heads: 4, keyValueHeads: 2, headWidth: 3 };
const [layers, perToken] = [2, 2 * 2 * 2 * 3 * 4];
const parts = ["key", "value"].flatMap((part) => [`${part}.0`, `${part}.1`]);

/** A call's results: every number says which text, part, token, head and feature it is of. */
function fresh(texts: readonly { text: number; from: number }[], steps: number): Record<string, Tensor> {
  const shape = [texts.length, layout.keyValueHeads, steps, layout.headWidth];
  return Object.fromEntries(
    parts.map((part, p) => [
      `fresh.${part}`,
      {
        shape,
        data: Float32Array.from(
          texts.flatMap(({ text, from }) =>
            Array.from({ length: 2 * steps * 3 }, (_, i) => {
              const [head, step, feature] = [Math.floor(i / (steps * 3)), Math.floor(i / 3) % steps, i % 3];
              return value({ text, p, token: from + step, head, feature });
            }),
          ),
        ),
      },
    ]),
  );
}

const value = (at: { text: number; p: number; token: number; head: number; feature: number }) =>
  at.text * 1e5 + at.token * 100 + at.p * 10 + at.head * 3 + at.feature + 1;

function assertHolds(cache: TextCache, texts: readonly { text: number; length: number }[]): void {
  const feeds = cache.feeds(0, texts.length);
  for (const [p, part] of parts.entries()) {
    const { shape, data } = feeds[`past.${part}`]!;
    const reach = shape[2]!;
    for (const [row, { text, length }] of texts.entries()) {
      for (let i = 0; i < 2 * reach * 3; i++) {
        const [head, token, feature] = [Math.floor(i / (reach * 3)), Math.floor(i / 3) % reach, i % 3];
        const expected = token < length ? value({ text, p, token, head, feature }) : 0;
        assert.equal(data[row * 2 * reach * 3 + i], expected, `${part} of text ${text} at ${token}`);
      }
    }
  }
}

describe("the cache", () => {
  it("keeps every text through joining, growing and leaving in any order", () => {
    for (let seed = 0; seed < 20; seed++) {
      const cache = new TextCache({ layers, layout, bytes: perToken * 400 });
      const texts: { text: number; length: number }[] = [];
      for (let turn = 0; turn < 60; turn++) {
        const [kind, which, count] = philox([turn, 0, 0, 0], [seed, 0]);
        const steps = (count % 9) + 1;
        const longest = Math.max(0, ...texts.map(({ length }) => length));
        if (kind % 4 === 0 && cache.fits(texts.length + 1, Math.max(longest, 32))) {
          assert.equal(cache.add(), texts.length);
          texts.push({ text: turn, length: 0 });
        } else if (kind % 4 === 1 && texts.length > 0) {
          const row = which % texts.length;
          cache.remove(row);
          texts[row] = texts.at(-1)!;
          texts.pop();
        } else if (texts.length > 0 && cache.fits(texts.length, longest + steps)) {
          const outputs = fresh(
            texts.map(({ text, length }) => ({ text, from: length })),
            steps,
          );
          for (const row of permutation(texts.length, turn)) {
            cache.append(row, { outputs, row, count: steps });
            texts[row]!.length += steps;
          }
        }
        if (turn % 10 === 9 && texts.length > 0) assertHolds(cache, texts);
      }
    }
  });

  it("gives a range of rows, and nothing of a text that was there before, not even a NaN", () => {
    const cache = new TextCache({ layers, layout, bytes: perToken * 100 });
    cache.add();
    const broken = fresh([{ text: 1, from: 0 }], 5);
    for (const { data } of Object.values(broken)) data.fill(Number.NaN as never);
    cache.append(0, { outputs: broken, row: 0, count: 5 });
    cache.remove(0);
    cache.add();
    cache.add();
    cache.append(1, { outputs: fresh([{ text: 7, from: 0 }], 5), row: 0, count: 3 });
    assertHolds(cache, [
      { text: 0, length: 0 },
      { text: 7, length: 3 },
    ]);
    assert.equal(cache.feeds(1, 2)["past.key.0"]!.data[0], value({ text: 7, p: 0, token: 0, head: 0, feature: 0 }));
  });

  it("stays within its budget and says so", () => {
    const cache = new TextCache({ layers, layout, bytes: perToken * 100 });
    assert.equal(cache.capacity, 100);
    assert.ok(cache.fits(2, 50) && !cache.fits(2, 51) && !cache.fits(3, 34));
    cache.add();
    cache.add();
    cache.append(0, { outputs: fresh([{ text: 0, from: 0 }], 50), row: 0, count: 50 });
    const more = { outputs: fresh([{ text: 0, from: 50 }], 1), row: 0, count: 1 };
    assert.throws(() => cache.append(0, more), /no room for 2 x 51 tokens/);
    assert.throws(() => new TextCache({ layers, layout, bytes: perToken * 31 }), /holds no 32 tokens of 96 bytes/);
  });
});
