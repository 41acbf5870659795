/** Responses of a real model through the official SDK in both versions, whole and as events. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ResponseCreateParamsNonStreaming, ResponseOutputMessage } from "openai/resources/responses/responses";
import type { Deployment } from "../support/deployment.ts";
import { sdks } from "../support/sdks.ts";
import { stories } from "../support/storiesBase.ts";
import { deployStories } from "../support/storiesDeployment.ts";

const once = { model: "stories-chat", input: "Once upon a time", temperature: 0, max_output_tokens: 16 };
const beginning = ", there was a little girl named Lily.";

let deployment: Deployment;
before(async () => {
  if (!stories.skip) deployment = await deployStories("stories-chat");
});
after(() => deployment?.close());

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, { skip: stories.skip }, () => {
    const connect = () => new OpenAI({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });
    const create = (more: Partial<ResponseCreateParamsNonStreaming> = {}) =>
      connect().responses.create({ ...once, ...more });

    test("answer a text, and say that there was no room for more", async () => {
      const answer = await create({ metadata: { team: "x" } });
      assert.match(answer.id, /^resp_/);
      assert.deepEqual([answer.object, answer.model, answer.status], ["response", "stories-chat", "incomplete"]);
      assert.deepEqual(answer.incomplete_details, { reason: "max_output_tokens" });
      assert.ok(answer.output_text.startsWith(beginning), answer.output_text);
      const [message] = answer.output;
      assert.ok(message?.type === "message" && message.content[0]?.type === "output_text");
      assert.match(message.id, /^msg_/);
      assert.deepEqual([message.role, message.status], ["assistant", "incomplete"]);
      assert.deepEqual(answer.metadata, { team: "x" });
      assert.deepEqual(
        [answer.usage?.input_tokens, answer.usage?.output_tokens, answer.usage?.total_tokens],
        [4, 16, 20],
      );
    });

    test("answer a conversation with instructions", async () => {
      const parts = [{ type: "input_text" as const, text: " upon a time" }];
      const spoken = await create({ instructions: "Once", input: [{ role: "user", content: parts }] });
      assert.deepEqual(spoken.output_text, (await create()).output_text);
      assert.equal(spoken.instructions, "Once");
      const first = await create();
      const next = await create({
        input: [
          { role: "user", content: "Once" },
          ...(first.output as ResponseOutputMessage[]),
          { role: "user", content: "And" },
        ],
      });
      assert.ok(next.usage!.input_tokens > 16);
    });

    test("come as events in OpenAI's order, counted, which end as the whole response", async () => {
      const whole = await create();
      const { data, response } = await connect()
        .responses.create({ ...once, stream: true })
        .withResponse();
      assert.match(response.headers.get("content-type")!, /^text\/event-stream/);
      const events = await Array.fromAsync(data);
      assert.deepEqual(
        events.map(({ sequence_number }) => sequence_number),
        [...events.keys()],
      );
      const types = events.map(({ type }) => type);
      const deltas = types.filter((type) => type === "response.output_text.delta").length;
      assert.ok(deltas > 1);
      assert.deepEqual(types, [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        ...Array<string>(deltas).fill("response.output_text.delta"),
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
      ]);
      const told = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
      assert.equal(told, whole.output_text);
      const last = events.at(-1)!;
      assert.ok(last.type === "response.incomplete");
      assert.deepEqual(last.response.usage, whole.usage);
    });

    test("suit the SDK's stream helper, and its helper for JSON", async () => {
      const stream = connect().responses.stream({ ...once, stop: undefined } as never);
      const final = await stream.finalResponse();
      assert.ok(final.output_text.startsWith(beginning));
      const schema = {
        type: "object",
        properties: { n: { type: "integer" } },
        required: ["n"],
        additionalProperties: false,
      };
      const text = { format: { type: "json_schema" as const, name: "count", schema, strict: true } };
      const parsed = await connect().responses.parse({ ...once, text, temperature: 1, max_output_tokens: 100 });
      assert.ok(Number.isInteger((parsed.output_parsed as unknown as { n: number }).n));
      assert.equal(parsed.status, "completed");
    });

    test("tell logarithms of probabilities", async () => {
      const asked = { include: ["message.output_text.logprobs" as const], top_logprobs: 2 };
      const { output, output_text } = await create(asked);
      assert.ok(output[0]?.type === "message" && output[0].content[0]?.type === "output_text");
      const { logprobs } = output[0].content[0];
      assert.equal(logprobs!.map(({ token }) => token).join(""), output_text);
      assert.ok(
        logprobs!.every(({ top_logprobs, token }) => top_logprobs.length === 2 && top_logprobs[0]!.token === token),
      );
    });

    test("name what is wrong", async () => {
      const wrong: [object, string][] = [
        [{ input: "word ".repeat(1000) }, "input"],
        [{ input: [{ type: "function_call_output", call_id: "x", output: "y" }] }, "input[0].type"],
        [{ input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] }, "input[0].content[0].type"],
        [{ tools: [{ type: "web_search" }] }, "tools"],
        [{ previous_response_id: "resp_x" }, "previous_response_id"],
        [{ background: true }, "background"],
        [{ truncation: "auto" }, "truncation"],
        [{ model: "millrace-ngram" }, "model"],
        [
          { text: { format: { type: "json_schema", name: "x", schema: { type: "thing" } } } },
          "text.format.schema.type",
        ],
        [{ max_output_tokens: 0 }, "max_output_tokens"],
      ];
      for (const [more, param] of wrong) {
        for (const stream of [false, true]) {
          await assert.rejects(create({ ...more, stream } as never), { status: 400, param }, JSON.stringify(more));
        }
      }
    });
  });
}
