/** Completions of a real model through the official SDK in both versions, whole and as they are written. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CompletionCreateParamsNonStreaming } from "openai/resources/completions";
import type { Deployment } from "../support/deployment.ts";
import { sdks } from "../support/sdks.ts";
import { stories } from "../support/storiesBase.ts";
import { deployStories } from "../support/storiesDeployment.ts";

const once = { model: "stories", prompt: "Once upon a time", temperature: 0, max_tokens: 12 };
const beginning = ", there was a little girl named Lily.";

let deployment: Deployment;
before(async () => {
  if (!stories.skip) deployment = await deployStories("stories");
});
after(() => deployment?.close());

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, { skip: stories.skip }, () => {
    const connect = () => new OpenAI({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });
    const create = (more: Partial<CompletionCreateParamsNonStreaming> = {}) =>
      connect().completions.create({ ...once, ...more });

    test("go on with a text", async () => {
      const { id, object, model, choices, usage } = await create();
      assert.match(id, /^cmpl-/);
      assert.deepEqual([object, model], ["text_completion", "stories"]);
      assert.deepEqual([choices[0]!.index, choices[0]!.finish_reason, choices[0]!.logprobs], [0, "length", null]);
      assert.ok(choices[0]!.text.startsWith(beginning), choices[0]!.text);
      assert.deepEqual(usage, { prompt_tokens: 5, completion_tokens: 12, total_tokens: 17 });
      assert.equal((await connect().completions.create({ ...once, max_tokens: null })).usage?.completion_tokens, 16);
    });

    test("answer each prompt n times, in order, and the same from its token ids", async () => {
      const { choices, usage } = await create({
        prompt: ["Once upon a time", "The cat"],
        n: 2,
        temperature: 1,
        seed: 1,
      });
      assert.deepEqual(
        choices.map(({ index }) => index),
        [0, 1, 2, 3],
      );
      assert.equal(new Set(choices.map(({ text }) => text)).size, 4);
      assert.ok(usage!.prompt_tokens < 2 * (5 + 4));
      const [text, ids] = [await create(), await create({ prompt: [1, 403, 407, 261, 378] })];
      assert.equal(ids.usage?.prompt_tokens, 5);
      assert.deepEqual(ids.choices, text.choices);
    });

    test("stream the same words, and the usage last", async () => {
      const asked = { prompt: ["Once upon a time", "The cat"], logprobs: 1, temperature: 1, seed: 4 };
      const whole = await create(asked);
      const chunks = await Array.fromAsync(
        await connect().completions.create({
          ...once,
          ...asked,
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      for (const index of [0, 1]) {
        const own = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index);
        const { text, logprobs, finish_reason } = whole.choices[index]!;
        assert.equal(own.map((choice) => choice.text).join(""), text);
        assert.deepEqual(
          own.flatMap((choice) => choice.logprobs!.tokens!),
          logprobs!.tokens,
        );
        assert.deepEqual(
          own.flatMap((choice) => choice.logprobs!.text_offset!),
          logprobs!.text_offset,
        );
        assert.deepEqual(
          [own.at(-1)!.finish_reason, own.filter((choice) => choice.finish_reason).length],
          [finish_reason, 1],
        );
      }
      assert.deepEqual([chunks.at(-1)!.choices, chunks.at(-1)!.usage], [[], whole.usage]);
    });

    test("tell logarithms of probabilities, echo texts, and keep to stop sequences", async () => {
      const { choices } = await create({ logprobs: 2 });
      const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0]!.logprobs!;
      assert.equal(tokens!.join(""), choices[0]!.text);
      for (const [i, token] of tokens!.entries()) {
        assert.equal(choices[0]!.text.slice(text_offset![i]!).indexOf(token), 0);
        assert.equal(top_logprobs![i]![token], token_logprobs![i]);
        assert.equal(Object.keys(top_logprobs![i]!).length, 2);
      }
      assert.ok((await create({ echo: true })).choices[0]!.text.startsWith("Once upon a time, there"));
      const stopped = await create({ stop: " little" });
      assert.deepEqual([stopped.choices[0]!.text, stopped.choices[0]!.finish_reason], [", there was a", "stop"]);
    });

    test("name what is wrong", async () => {
      const wrong: [object, string][] = [
        [{ prompt: [] }, "prompt"],
        [{ prompt: [512] }, "prompt"],
        [{ prompt: "word ".repeat(1000) }, "prompt"],
        [{ best_of: 3, n: 2 }, "best_of"],
        [{ echo: true, logprobs: 1 }, "echo"],
        [{ echo: true, prompt: [1] }, "echo"],
        [{ logprobs: 6 }, "logprobs"],
        [{ suffix: "the end" }, "suffix"],
        [{ prompt: ["a", "b"], n: 128 }, "n"],
        [{ stream_options: {} }, "stream_options"],
      ];
      for (const [more, param] of wrong)
        await assert.rejects(create(more), { status: 400, param }, JSON.stringify(more));
    });
  });
}
