/** Sampling in the graph against the same filter written again in JavaScript, and against its exact probabilities. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chooseToken,
  logProbabilities,
  samplingInputs,
  seenAfter,
  seenBefore,
} from "../../../../shared/engine/generation/sample.ts";
import {
  checkSettings,
  maskOf,
  type SampledRow,
  type SamplingSettings,
  samplingFeeds,
} from "../../../../shared/engine/generation/settings.ts";
import { hashName, input, type Tensor } from "../../../../shared/engine/index.ts";
import { evaluate, numbers, randomValues, tensor } from "../run.ts";

interface Case extends SamplingSettings {
  readonly logits: readonly number[];
  readonly written?: readonly number[];
  /** Where the token will stand. */
  readonly place?: number;
}

const row = ({ logits, written = [], ...settings }: Case): SampledRow => {
  const checked = { settings: checkSettings(settings, logits.length), written };
  return { ...checked, mask: maskOf(checked, logits.length) };
};

async function sampled(cases: readonly Case[]): Promise<Record<string, Tensor>> {
  const vocabulary = cases[0]!.logits.length;
  const settings = samplingInputs(vocabulary);
  const logits = input("logits", ["rows", vocabulary]);
  const token = chooseToken(logits, seenBefore(settings, vocabulary), input("place", ["rows", 1], "int32"), settings);
  const { chosen, tokens, values } = logProbabilities(logits, token, settings);
  return evaluate(
    { token, chosen, tokens, values, seen: seenAfter(seenBefore(settings, vocabulary), token) },
    {
      ...samplingFeeds(cases.map(row), vocabulary),
      logits: tensor(
        [cases.length, vocabulary],
        cases.flatMap((one) => one.logits),
      ),
      place: tensor(
        [cases.length, 1],
        Int32Array.from(cases, ({ place = 0 }) => place),
      ),
    },
  );
}

const tokensOf = async (cases: readonly Case[]) => numbers((await sampled(cases)).token);

/** Probabilities after penalties, bias, mask, temperature, top-k and top-p, in float64. */
function probabilities(one: Case): number[] {
  const { settings, written } = row(one);
  const allowed = settings.allowed?.(written);
  const judged = one.logits.map((logit, token) => {
    const times = written.filter((other) => other === token).length;
    const penalty = times * settings.frequencyPenalty + (times > 0 ? settings.presencePenalty : 0);
    if (allowed && allowed[token] === 0) return -Infinity;
    return (logit - penalty + (settings.logitBias.get(token) ?? 0)) / settings.temperature;
  });
  const order = judged.map((_, token) => token).sort((a, b) => judged[b]! - judged[a]! || a - b);
  const ranked = order.slice(0, settings.topK);
  const weight = (token: number) => Math.exp(judged[token]! - judged[order[0]!]!);
  const total = ranked.reduce((sum, token) => sum + weight(token), 0);
  const kept: number[] = [];
  for (let mass = 0; kept.length < ranked.length && mass < settings.topP * total; ) {
    const token = ranked[kept.length]!;
    kept.push(token);
    mass += weight(token);
  }
  const mass = kept.reduce((sum, token) => sum + weight(token), 0);
  return judged.map((_, token) => (kept.includes(token) ? weight(token) / mass : 0));
}

function mix(x: number): number {
  const first = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  const second = Math.imul(first ^ (first >>> 15), 0x846ca68b) >>> 0;
  return (second ^ (second >>> 16)) >>> 0;
}

/** The token at which the running sum passes a number made of seed and place; and how far that number is from a border. */
function drawn(one: Case): { token: number; margin: number } {
  const { seed } = row(one).settings;
  const hash = mix(mix((Math.imul(one.place ?? 0, 0x9e3779b9) ^ mix((seed ^ hashName("token")) >>> 0)) >>> 0));
  const at = (hash >>> 9) * 2 ** -23;
  let sum = 0;
  const borders = probabilities(one).map((probability) => (sum += probability));
  return {
    token: borders.findIndex((border) => border > at),
    margin: Math.min(...borders.map((b) => Math.abs(b - at))),
  };
}

const logits = [1.5, -0.5, 2, 0.25, 2, -3, 1, 0.5];

describe("choosing a token", () => {
  it("takes the likeliest at temperature 0, of equals the lowest, whatever else is asked for", async () => {
    const cases = [{ topP: 0.1 }, { topK: 3, seed: 9 }, { logitBias: new Map([[4, 0.5]]) }];
    assert.deepEqual(await tokensOf(cases.map((one) => ({ ...one, logits, temperature: 0 }))), [2, 2, 4]);
  });

  it("draws what an independent filter draws, in batches of mixed settings", async () => {
    const settings: SamplingSettings[] = [
      {},
      { temperature: 0.5 },
      { topK: 3 },
      { topK: 1 },
      { topP: 0.5 },
      { topP: 0.01 },
      { topK: 5, topP: 0.8, temperature: 1.7 },
      { presencePenalty: 1.5 },
      { frequencyPenalty: 0.7, presencePenalty: -0.5 },
      {
        logitBias: new Map([
          [5, 6],
          [2, -100],
        ]),
      },
      { allowed: () => Uint8Array.of(0, 1, 0, 0, 0, 1, 0, 1) },
      { allowed: () => Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1), topP: 0.6, topK: 7 },
    ];
    const cases = Array.from({ length: 40 }, (_, seed) =>
      settings.map((one) => ({ ...one, logits, seed, place: seed % 7, written: [2, 2, 4, 0] })),
    ).flat();
    const found = await tokensOf(cases);
    const expected = cases.map(drawn);
    const clear = cases.map((_, i) => i).filter((i) => expected[i]!.margin > 1e-6);
    assert.ok(clear.length > cases.length * 0.99);
    for (const i of clear) assert.equal(found[i], expected[i]!.token, `case ${i}`);
  });

  it("counts ties at the border of top-k by their number, not by their value", async () => {
    const cases = Array.from({ length: 60 }, (_, seed) => ({ logits, topK: 1, seed }));
    assert.deepEqual(new Set(await tokensOf(cases)), new Set([2]));
  });

  it("has the exact frequencies, over seeds and over places", async () => {
    const draws = 20_000;
    for (const vary of [(i: number) => ({ seed: i }), (i: number) => ({ seed: 5, place: i })]) {
      const one = { logits, temperature: 1.3, topK: 6 };
      const found = await tokensOf(Array.from({ length: draws }, (_, i) => ({ ...one, ...vary(i) })));
      const expected = probabilities(one);
      const statistic = expected.reduce((sum, probability, token) => {
        const times = found.filter((other) => other === token).length;
        if (probability === 0) assert.equal(times, 0);
        return probability === 0 ? sum : sum + (times - draws * probability) ** 2 / (draws * probability);
      }, 0);
      // The 99.9 % point of chi-square with 5 degrees of freedom.
      assert.ok(statistic < 20.5, `chi-square is ${statistic}`);
    }
  });

  it("does not depend on the other rows", async () => {
    const wide = Array.from({ length: 12 }, (_, i) => ({
      logits: [...randomValues(300, { seed: i + 1, low: -4, high: 4 })],
      seed: i,
      topP: [1, 0.9, 0.5][i % 3]!,
      topK: i % 4 === 0 ? 20 : 300,
      topLogProbabilities: i % 3,
    }));
    const together = await sampled(wide);
    for (const [i, one] of wide.entries()) {
      const alone = await sampled([one]);
      assert.equal(together.token!.data[i], alone.token!.data[0]);
      assert.equal(together.chosen!.data[i], alone.chosen!.data[0]);
    }
  });

  it("tells log-probabilities by the model's own distribution", async () => {
    const one = { logits, topLogProbabilities: 3, logitBias: new Map([[1, 100]]), temperature: 0 };
    const { token, chosen, tokens, values, seen } = await sampled([one]);
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const expected = logits.map((logit) => logit - total);
    assert.deepEqual(numbers(token), [1]);
    assert.ok(Math.abs(numbers(chosen)[0]! - expected[1]!) < 1e-6);
    assert.deepEqual(numbers(tokens), [2, 4, 0]);
    for (const [i, value] of numbers(values).entries()) assert.ok(Math.abs(value - expected[[2, 4, 0][i]!]!) < 1e-6);
    assert.deepEqual(numbers(seen), [0, 1, 0, 0, 0, 0, 0, 0]);
  });
});

describe("settings", () => {
  const wrong: [SamplingSettings, RegExp][] = [
    [{ temperature: -1 }, /temperature must be 0 to 100, not -1/],
    [{ topP: 0 }, /topP must be above 0/],
    [{ topK: 0.5 }, /topK must be a positive integer/],
    [{ seed: 0.5 }, /seed must be an integer/],
    [{ presencePenalty: Number.NaN }, /presencePenalty/],
    [{ frequencyPenalty: 101 }, /frequencyPenalty/],
    [{ logitBias: new Map([[8, 1]]) }, /logitBias must be of tokens of the vocabulary, not 8/],
    [{ logitBias: new Map([[7, Number.NaN]]) }, /logitBias/],
    [{ topLogProbabilities: 9 }, /topLogProbabilities/],
    [{ endTokens: [-1] }, /endTokens/],
  ];
  for (const [settings, message] of wrong) {
    it(`refuses ${JSON.stringify(settings)} by name`, () => {
      assert.throws(() => checkSettings(settings, 8), { name: "RangeError", message });
    });
  }

  it("refuses a mask of another size, and one that leaves nothing", () => {
    const feeds = (mask: Uint8Array) => maskOf(row({ logits, allowed: () => mask }), 8);
    assert.throws(() => feeds(new Uint8Array(7)), /allowed gives 7 elements for 8 tokens/);
    assert.throws(() => feeds(new Uint8Array(8)), /allowed leaves no token/);
  });

  it("tells long seeds apart", () => {
    const seeds = [1, 1 + 2 ** 32, -1, 2 ** 40].map((seed) => samplingFeeds([row({ logits, seed })], 8).seed!.data[0]);
    assert.equal(new Set(seeds).size, seeds.length);
  });
});
