/** Generation with kept keys and values against the model that reads everything again, and requests that come and go. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextTokenLogits } from "../../../../shared/engine/generation/decoder.ts";
import {
  type GeneratedToken,
  type GenerationRequest,
  Generator,
  type GeneratorOptions,
} from "../../../../shared/engine/generation/generator.ts";
import { logSoftmax, toOnnx, WeightScope } from "../../../../shared/engine/index.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import type { Session } from "../../../../shared/engine/runtime/session.ts";
import { type TinyName, tinyBuilt, tinyModel } from "../models/tinyModels.ts";
import { numbers, tensor, withSession } from "../run.ts";

const vocabulary = 40;
// The first is as long as it can be: with 7 tokens written, the models' 12 positions are full.
const prompts = [[5, 9, 31, 2, 17], [8, 25, 3], [30], [1, 2, 3, 4], [39, 38]];
const names: TinyName[] = ["gpt2", "llama", "llama3", "qwen2"];

async function withGenerator<T>(name: TinyName, options: GeneratorOptions, use: (generator: Generator) => Promise<T>) {
  const { model, weights } = tinyBuilt(name, { head: "causal" });
  const generator = await Generator.start(
    { model, weights: new Map(Object.entries(weights)) },
    { threads: 1, ...options },
  );
  try {
    return await use(generator);
  } finally {
    await generator.close();
  }
}

async function read(generator: Generator, request: GenerationRequest): Promise<GeneratedToken[]> {
  const found: GeneratedToken[] = [];
  for await (const { tokens } of generator.generate(request)) found.push(...tokens);
  return found;
}

const ids = (tokens: readonly GeneratedToken[]) => tokens.map(({ id }) => id);

/** Log-probabilities of every token after `text`, by the model that reads all of it. */
async function uncached(session: Session, text: readonly number[]): Promise<number[]> {
  const shape = [1, text.length];
  const attention_mask = tensor(shape, new Int32Array(text.length).fill(1));
  return numbers((await session.run({ input_ids: tensor(shape, Int32Array.from(text)), attention_mask })).logs);
}

describe("generation with kept keys and values", () => {
  for (const name of names) {
    it(`has the log-probabilities of the whole text read again: ${name}`, async () => {
      const { model, weights } = tinyBuilt(name, { head: "causal" });
      const logs = logSoftmax(nextTokenLogits(model, new WeightScope(), textInputs()));
      const initializers = Object.fromEntries(
        Object.entries(weights).map(([weight, { data }]) => [weight, data as Float32Array]),
      );
      await withSession(toOnnx({ outputs: { logs }, initializers }), async (session) => {
        for (const [tokensPerCall, promptChunk] of [
          [1, 256],
          [3, 2],
          [8, 1],
        ] as const) {
          await withGenerator(name, { tokensPerCall, promptChunk }, async (generator) => {
            const requests = prompts.map((prompt) => ({
              prompt,
              maxTokens: 7,
              temperature: 0,
              topLogProbabilities: vocabulary,
            }));
            const all = await Promise.all(requests.map((request) => read(generator, request)));
            for (const [row, tokens] of all.entries()) {
              assert.equal(tokens.length, 7);
              for (const [step, { id, logProbability, top }] of tokens.entries()) {
                const expected = await uncached(session, [...prompts[row]!, ...ids(tokens).slice(0, step)]);
                assert.equal(id, expected.indexOf(Math.max(...expected)));
                assert.equal(logProbability, top[0]!.logProbability);
                for (const other of top) assert.ok(Math.abs(other.logProbability - expected[other.id]!) < 1e-4);
              }
            }
          });
        }
      });
    });
  }

  it("is not for a model that sees the whole text", async () => {
    await assert.rejects(
      () => Generator.start({ model: tinyModel("bert"), weights: new Map() }),
      /module "bert" does not predict next tokens/,
    );
  });
});

describe("a generator", () => {
  const sampled: GenerationRequest[] = prompts.map((prompt, seed) => ({
    prompt,
    seed,
    maxTokens: 7 - seed,
    topP: [0.9, 1, 0.7, 1, 0.95][seed],
    topK: [40, 10, 40, 40, 5][seed],
    temperature: 0.5 + seed,
    frequencyPenalty: seed % 2,
    topLogProbabilities: seed,
  }));

  it("answers bit for bit alike alone and beside others that come and go", async () => {
    for (const name of ["gpt2", "llama"] as const) {
      await withGenerator(name, { tokensPerCall: 2 }, async (generator) => {
        const alone: GeneratedToken[][] = [];
        for (const request of sampled) alone.push(await read(generator, request));
        assert.deepEqual(
          alone.map(({ length }) => length),
          [7, 6, 5, 4, 3],
        );
        assert.deepEqual(await Promise.all(sampled.map((request) => read(generator, request))), alone);
        const late = generator.generate(sampled[0]!);
        const first = await late.next();
        const others = await Promise.all(
          sampled
            .slice(1)
            .reverse()
            .map((request) => read(generator, request)),
        );
        assert.deepEqual(others.reverse(), alone.slice(1));
        const rest = [...first.value!.tokens];
        for await (const { tokens } of late) rest.push(...tokens);
        assert.deepEqual(rest, alone[0]);
      });
    }
  });

  it("repeats for a seed and differs for another", async () => {
    await withGenerator("gpt2", {}, async (generator) => {
      const of = async (seed: number) => ids(await read(generator, { prompt: [4], seed, temperature: 3 })).join();
      const found = await Promise.all([of(1), of(1), of(2), of(3)]);
      assert.equal(found[0], found[1]);
      assert.equal(new Set(found).size, 3);
    });
  });

  it("counts what it wrote in earlier calls for penalties", async () => {
    await withGenerator("gpt2", { tokensPerCall: 2 }, async (generator) => {
      const request = { prompt: [4], temperature: 0, presencePenalty: 100 };
      const tokens = ids(await read(generator, request));
      assert.equal(tokens.length, 11);
      assert.equal(new Set(tokens).size, 11);
    });
  });

  it("ends at an end token, which it keeps to itself, while others go on", async () => {
    await withGenerator("gpt2", { tokensPerCall: 4 }, async (generator) => {
      const request = { prompt: [5, 9], temperature: 2, seed: 3, maxTokens: 9 };
      const whole = ids(await read(generator, request));
      const end = whole[5]!;
      const cut = whole.indexOf(end);
      const [ended, going] = await Promise.all([
        Array.fromAsync(generator.generate({ ...request, endTokens: [vocabulary - 1, end] })),
        read(generator, request),
      ]);
      assert.deepEqual(
        ended.flatMap(({ tokens }) => ids(tokens)),
        whole.slice(0, cut),
      );
      assert.deepEqual(ended.map(({ finishReason }) => finishReason).filter(Boolean), ["stop"]);
      assert.deepEqual(ids(going), whole);
      const last = (await Array.fromAsync(generator.generate({ ...request, maxTokens: 3 }))).at(-1)!;
      assert.equal(last.finishReason, "length");
    });
  });

  it("keeps to the tokens a mask allows, which may follow from those written", async () => {
    await withGenerator("llama", {}, async (generator) => {
      const allowed = (written: readonly number[]) =>
        Uint8Array.from({ length: vocabulary }, (_, id) => Number(id % 3 === written.length % 3));
      const request = { prompt: [5, 9], seed: 1, maxTokens: 8 };
      const [masked, free] = await Promise.all([
        read(generator, { ...request, allowed, temperature: 2 }),
        read(generator, request),
      ]);
      assert.deepEqual(
        ids(masked).map((id) => id % 3),
        [0, 1, 2, 0, 1, 2, 0, 1],
      );
      assert.equal(free.length, 8);
    });
  });

  it("lets a request go that is cancelled by its reader or its signal, and no other", async () => {
    await withGenerator("gpt2", { tokensPerCall: 1 }, async (generator) => {
      const request = { prompt: [5], temperature: 0 };
      const whole = ids(await read(generator, request));
      const abort = new AbortController();
      const streams = [request, request, { ...request, signal: abort.signal }].map((one) => generator.generate(one));
      const kept = read(generator, request);
      await Promise.all(streams.map((stream) => stream.next()));
      assert.equal(generator.load.active + generator.load.waiting, 4);
      await streams[0]!.return!();
      abort.abort(new Error("no longer wanted"));
      await assert.rejects(() => Array.fromAsync(streams[2]!), /no longer wanted/);
      assert.equal((await streams[0]!.next()).done, true);
      assert.deepEqual(
        (await Array.fromAsync(streams[1]!)).flatMap(({ tokens }) => ids(tokens)),
        whole.slice(1),
      );
      assert.deepEqual(ids(await kept), whole);
      assert.deepEqual(generator.load, { active: 0, waiting: 0 });
      assert.throws(() => generator.generate({ ...request, signal: abort.signal }), /no longer wanted/);
    });
  });

  it("lets requests wait while the cache or the batch is full, and all are answered", async () => {
    // 2 layers of 2 x 16 float32: 34 tokens.
    for (const options of [{ cacheBytes: 34 * 256 }, { maxRows: 2 }]) {
      await withGenerator("gpt2", { tokensPerCall: 2, ...options }, async (generator) => {
        const request = { prompt: [5, 6, 7], temperature: 0, maxTokens: 9 };
        const answers = Array.from({ length: 7 }, () => read(generator, request));
        await new Promise((resolve) => setTimeout(resolve, 0));
        const results = await Promise.all(answers);
        for (const tokens of results) assert.deepEqual(ids(tokens), ids(results[0]!));
      });
    }
  });

  it("refuses what it cannot write, and a broken constraint fails only its own request", async () => {
    await withGenerator("gpt2", {}, async (generator) => {
      const refused: [Partial<GenerationRequest>, RegExp][] = [
        [{ prompt: [] }, /prompt has 0 tokens, not 1 to 11/],
        [{ prompt: Array<number>(12).fill(1) }, /prompt has 12 tokens/],
        [{ prompt: [40] }, /prompt holds 40, which is no token of 40/],
        [{ maxTokens: 0 }, /maxTokens must be positive/],
        [{ temperature: -1 }, /temperature/],
      ];
      for (const [part, message] of refused) {
        assert.throws(() => generator.generate({ prompt: [1], ...part }), { name: "RangeError", message });
      }
      for (const from of [0, 3]) {
        const allowed = ({ length }: readonly number[]) => new Uint8Array(vocabulary).fill(Number(length < from));
        const [broken, fine] = await Promise.allSettled([
          read(generator, { prompt: [1], allowed }),
          read(generator, { prompt: [1], temperature: 0 }),
        ]);
        assert.match(String((broken as PromiseRejectedResult).reason), /allowed leaves no token/);
        assert.equal((fine as PromiseFulfilledResult<GeneratedToken[]>).value.length, 11);
      }
    });
  });

  it("ends what it writes when it is closed", async () => {
    await withGenerator("gpt2", { tokensPerCall: 1 }, async (generator) => {
      const stream = generator.generate({ prompt: [1] });
      await stream.next();
      const rest = assert.rejects(() => Array.fromAsync(stream), /the generator was closed/);
      await generator.close();
      await rest;
      assert.throws(() => generator.generate({ prompt: [1] }), /the generator was closed/);
    });
  });
});
