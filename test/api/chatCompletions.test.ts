/** Chat completions of a real model through the official SDK in both versions, whole and as they are written. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import type { Deployment } from "../support/deployment.ts";
import { sdks } from "../support/sdks.ts";
import { stories } from "../support/storiesBase.ts";
import { deployStories } from "../support/storiesDeployment.ts";

const beginning = ", there was a little girl named Lily.";
const messages = [{ role: "user" as const, content: "Once upon a time" }];
const once = {
  model: "stories-chat",
  messages,
  temperature: 0,
  max_tokens: 24,
} satisfies ChatCompletionCreateParamsNonStreaming;

let deployment: Deployment;
before(async () => {
  if (!stories.skip) deployment = await deployStories("stories-chat");
});
after(() => deployment?.close());

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, { skip: stories.skip }, () => {
    const connect = () => new OpenAI({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });
    const create = (more: Partial<ChatCompletionCreateParamsNonStreaming> = {}) =>
      connect().chat.completions.create({ ...once, ...more });

    test("answers whole", async () => {
      const { data, response } = await connect().chat.completions.create(once).withResponse();
      assert.match(data.id, /^chatcmpl-/);
      assert.equal(data.object, "chat.completion");
      assert.equal(data.model, "stories-chat");
      assert.ok(Math.abs(data.created - Date.now() / 1000) < 60);
      const [choice] = data.choices;
      assert.ok(choice?.message.content?.startsWith(beginning), choice?.message.content ?? "");
      assert.deepEqual([choice?.index, choice?.message.role, choice?.message.refusal], [0, "assistant", null]);
      assert.deepEqual([choice?.finish_reason, choice?.logprobs], ["length", null]);
      assert.deepEqual(data.usage, { prompt_tokens: 4, completion_tokens: 24, total_tokens: 28 });
      assert.match(response.headers.get("x-request-id")!, /^req_/);
      assert.match(response.headers.get("x-millrace-model-digest")!, /^[0-9a-f]{64}$/);
    });

    test("streams the same words: roles first, an ending for each choice, the usage last", async () => {
      const whole = await create({ n: 2, temperature: 1, seed: 5 });
      const { data, response } = await connect()
        .chat.completions.create({
          ...once,
          n: 2,
          temperature: 1,
          seed: 5,
          stream: true,
          stream_options: { include_usage: true },
        })
        .withResponse();
      assert.match(response.headers.get("content-type")!, /^text\/event-stream/);
      assert.match(response.headers.get("x-millrace-model-digest")!, /^[0-9a-f]{64}$/);
      const chunks = await Array.fromAsync(data);
      assert.equal(new Set(chunks.map(({ id, created, object }) => `${id} ${created} ${object}`)).size, 1);
      assert.match(chunks[0]!.id, /^chatcmpl-/);
      for (const index of [0, 1]) {
        const own = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index);
        assert.equal(own[0]!.delta.role, "assistant");
        assert.ok(own.slice(1).every(({ delta }) => delta.role === undefined));
        assert.equal(own.map(({ delta }) => delta.content ?? "").join(""), whole.choices[index]!.message.content);
        assert.deepEqual(own.map(({ finish_reason }) => finish_reason).filter(Boolean), [
          whole.choices[index]!.finish_reason,
        ]);
        assert.ok(own.at(-1)!.finish_reason);
      }
      assert.deepEqual(chunks.at(-1)!.choices, []);
      assert.deepEqual(chunks.at(-1)!.usage, whole.usage);
      assert.ok(chunks.slice(0, -1).every(({ usage, choices }) => usage === null && choices.length === 1));
      assert.notEqual(whole.choices[0]!.message.content, whole.choices[1]!.message.content);
    });

    test("suits the SDK's stream helper", async () => {
      const stream = connect().chat.completions.stream({ ...once, stream_options: { include_usage: true } });
      let told = "";
      stream.on("content", (delta) => (told += delta));
      const final = await stream.finalChatCompletion();
      assert.equal(final.choices[0]!.message.content, told);
      assert.ok(told.startsWith(beginning));
      assert.deepEqual(await stream.totalUsage(), { prompt_tokens: 4, completion_tokens: 24, total_tokens: 28 });
    });

    test("tells logarithms of probabilities, whole and streamed", async () => {
      const asked = { logprobs: true, top_logprobs: 2, max_tokens: 4 };
      const { choices } = await create(asked);
      const tokens = choices[0]!.logprobs!.content!;
      assert.equal(tokens.map(({ token }) => token).join(""), choices[0]!.message.content);
      for (const { token, bytes, logprob, top_logprobs } of tokens) {
        assert.deepEqual(bytes, [...Buffer.from(token)]);
        assert.deepEqual([top_logprobs.length, top_logprobs[0]!.token, top_logprobs[0]!.logprob], [2, token, logprob]);
      }
      const chunks = await Array.fromAsync(
        await connect().chat.completions.create({ ...once, ...asked, stream: true }),
      );
      const streamed = chunks.flatMap(({ choices: [choice] }) => choice?.logprobs?.content ?? []);
      assert.deepEqual(streamed, tokens);
    });

    test("keeps to stop sequences, seeds, penalties and biases", async () => {
      const stopped = await create({ stop: ["girl", "boy"] });
      assert.deepEqual(stopped.choices[0]!.message.content, ", there was a little ");
      assert.equal(stopped.choices[0]!.finish_reason, "stop");
      const hot = async (seed: number) => (await create({ temperature: 1.5, seed })).choices[0]!.message.content;
      assert.equal(await hot(3), await hot(3));
      assert.notEqual(await hot(3), await hot(4));
      const biased = await create({ logit_bias: { 259: 100 }, max_tokens: 2 });
      assert.equal(biased.choices[0]!.message.content, " t t");
    });

    test("is held to JSON, by a schema or to any object", async () => {
      const schema = {
        type: "object",
        properties: { name: { type: "string", maxLength: 10 }, likes: { enum: ["cats", "dogs"] } },
        required: ["name", "likes"],
        additionalProperties: false,
      };
      const json_schema = { name: "pet", strict: true, schema };
      const asked = {
        temperature: 1,
        seed: 2,
        max_tokens: 300,
        response_format: { type: "json_schema", json_schema },
      } as const;
      const { choices } = await create(asked);
      const value = JSON.parse(choices[0]!.message.content!) as { name: string; likes: string };
      assert.deepEqual(Object.keys(value), ["name", "likes"]);
      assert.ok(["cats", "dogs"].includes(value.likes));
      assert.equal(choices[0]!.finish_reason, "stop");
      const parsed = await connect().chat.completions.parse({ ...once, ...asked });
      assert.deepEqual(parsed.choices[0]!.message.parsed, value);
      const object = await create({
        response_format: { type: "json_object" },
        max_tokens: 60,
        temperature: 1,
        seed: 7,
      });
      assert.ok(object.choices[0]!.message.content!.startsWith("{"));
    });

    test("names what is wrong, before anything is written", async () => {
      const wrong: [object, string, RegExp][] = [
        [{ model: "millrace-ngram" }, "model", /writes no texts/],
        [{ messages: [] }, "messages", /./],
        [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].role", /calls tools/],
        [
          { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
          "messages[0].content[0].type",
          /read text/,
        ],
        [{ messages: [{ role: "user" }] }, "messages[0].content", /Missing/],
        [{ messages: [{ role: "user", content: null }] }, "messages[0].content", /only an assistant/],
        [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools", /cannot be called/],
        [{ tool_choice: "required" }, "tool_choice", /./],
        [{ temperature: 2.1 }, "temperature", /./],
        [{ stop: ["a", "b", "c", "d", "e"] }, "stop", /./],
        [{ top_logprobs: 2 }, "top_logprobs", /logprobs/],
        [{ stream_options: { include_usage: true } }, "stream_options", /stream/],
        [{ logit_bias: { 512: 1 } }, "logit_bias", /512/],
        [{ no_such_field: 1 }, "no_such_field", /Unknown/],
        [
          {
            response_format: {
              type: "json_schema",
              json_schema: {
                name: "x",
                schema: { type: "object", properties: { a: { type: "string", format: "email" } } },
              },
            },
          },
          "response_format.json_schema.schema.properties.a.format",
          /not supported/,
        ],
      ];
      for (const [part, param, message] of wrong) {
        const more = part as Partial<ChatCompletionCreateParamsNonStreaming>;
        for (const stream of [false, true]) {
          if (stream && param === "stream_options") continue;
          await assert.rejects(
            create({ ...more, stream } as never),
            (error: InstanceType<typeof OpenAI.BadRequestError>) => {
              assert.ok(error instanceof OpenAI.BadRequestError, String(error));
              assert.equal(error.param, param, error.message);
              assert.match(error.message, message);
              return true;
            },
          );
        }
      }
      const long = create({ messages: [{ role: "user", content: "word ".repeat(1000) }] });
      await assert.rejects(long, { status: 400, code: "context_length_exceeded", param: "messages" });
      await assert.rejects(create({ model: "gpt-6-luna" }), OpenAI.NotFoundError);
    });
  });
}
