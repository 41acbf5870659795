/** Texts by the model host: a real model in a device process, asked by several at once, given up, killed. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { importBase } from "../../../infra/models/importBase.ts";
import type { BaseRecord } from "../../../shared/schemas/base.ts";
import { createGeneration, type TextRequest, type WrittenText } from "../../../shared/serving/generation.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { createHostContext } from "../../../shared/serving/hostContext.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { addStories, stories } from "../../support/storiesBase.ts";
import { addBase, tinyCheckpoint } from "../../support/tinyCheckpoint.ts";
import { withDirectory } from "../engine/models/tinyModels.ts";

const names = { prompt: "messages", json: "response_format" };
const once: TextRequest = { prompt: { text: "Once upon a time" }, temperature: 0, maxTokens: 40, names };
const beginning = ", there was a little girl named Lily. She loved to play outside";

describe("texts of the model host", { skip: stories.skip }, () => {
  let cloud: Cloud;
  let host: ModelHost;
  let base: BaseRecord;
  before(async () => {
    cloud = await openCloud();
    host = createModelHost(cloud.stores.objects, { threads: 1 });
    base = await addStories(cloud.stores, "stories");
  });
  after(async () => {
    await host?.close();
    await cloud?.close();
  });

  const collect = async ({ pieces }: WrittenText) => {
    const all = await Array.fromAsync(pieces);
    const tokens = all.flatMap((piece) => piece.tokens);
    return { text: all.map(({ text }) => text).join(""), tokens, finishReason: all.at(-1)?.finishReason };
  };
  const write = async (request: Partial<TextRequest>) => collect(await host.generate(base, { ...once, ...request }));

  it("goes on from a text, and counts its tokens", async () => {
    const written = await host.generate(base, once);
    assert.equal(written.promptTokens, 5);
    const { text, tokens, finishReason } = await collect(written);
    assert.ok(text.startsWith(beginning), text);
    assert.equal(finishReason, "length");
    assert.equal(tokens.length, 40);
    assert.equal(tokens.map((token) => token.text).join(""), text);
    assert.ok(tokens.every(({ logProbability }) => logProbability <= 0 && logProbability > -20));
  });

  it("tells the likeliest tokens, of which a greedy text takes the first", async () => {
    const { tokens } = await write({ topLogProbabilities: 3, maxTokens: 5 });
    for (const { top, text, logProbability } of tokens) {
      assert.equal(top.length, 3);
      assert.deepEqual([top[0]!.text, top[0]!.logProbability], [text, logProbability]);
    }
  });

  it("ends before a stop sequence, which may lie across tokens", async () => {
    const { text, finishReason } = await write({ stop: ["irl named L"] });
    assert.deepEqual([text, finishReason], [", there was a little g", "stop"]);
  });

  it("answers many at once as it answers each alone", async () => {
    const requests = [1, 2, 3, 4].map((seed) => ({ temperature: 1, seed, maxTokens: 20 + seed }));
    const alone = [];
    for (const request of requests) alone.push(await write(request));
    assert.deepEqual(await Promise.all(requests.map(write)), alone);
    assert.equal(new Set(alone.map(({ text }) => text)).size, 4);
  });

  it("writes JSON that fits a schema, and stops there", async () => {
    const schema = {
      type: "object",
      properties: { toy: { enum: ["ball", "doll"] }, n: { type: "integer" } },
      required: ["toy", "n"],
    };
    const { text, finishReason } = await write({
      json: { type: "schema", schema },
      temperature: 1,
      seed: 1,
      maxTokens: 200,
    });
    const { toy, n } = JSON.parse(text) as { toy: string; n: number };
    assert.ok(["ball", "doll"].includes(toy) && Number.isInteger(n));
    assert.equal(finishReason, "stop");
  });

  it("reads a conversation as text with names where the checkpoint brings no template", async () => {
    const messages = [
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hi" },
    ] as const;
    const chat = await host.generate(base, { ...once, prompt: { messages } });
    const text = await host.generate(base, { ...once, prompt: { text: "System: Be kind.\n\nUser: Hi\n\nAssistant:" } });
    assert.equal(chat.promptTokens, text.promptTokens);
    const [answer, raw] = [await collect(chat), await collect(text)];
    assert.deepEqual(answer, { ...raw, text: raw.text.trimStart() });
    assert.match(raw.text, /^\s\S/);
  });

  it("reads a conversation by the checkpoint's template, whose refusals name the messages", async () => {
    const chat_template =
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system here') }}{% endif %}{{ m.content }}{% endfor %}";
    const templated = await addStories(cloud.stores, "templated", {
      "tokenizer_config.json": { chat_template, bos_token: "\n<s>\n" },
    });
    const ask = (role: "system" | "user") =>
      host.generate(templated, { ...once, prompt: { messages: [{ role, content: "Once upon a time" }] } });
    assert.ok((await collect(await ask("user"))).text.includes("there was a"));
    await assert.rejects(() => ask("system"), { code: "invalid_value", param: "messages", message: /no system here/ });
  });

  it("refuses by name what cannot be written", async () => {
    const { record: bert } = await withDirectory(tinyCheckpoint(), (directory) =>
      importBase(cloud.stores, {
        id: "bert",
        directory,
        files: ["config.json", "model.safetensors", "vocab.txt"],
        replace: false,
      }),
    );
    const cases: [BaseRecord, Partial<TextRequest>, object][] = [
      [bert as BaseRecord, {}, { param: "model", message: /'bert' does not write texts/ }],
      [
        base,
        { prompt: { text: "word ".repeat(600) } },
        { code: "context_length_exceeded", param: "messages", message: /512 tokens.* has \d{3,}/ },
      ],
      [
        base,
        { prompt: { text: "x".repeat(4_000_000) } },
        { code: "context_length_exceeded", message: /has at least 62500/ },
      ],
      [base, { prompt: { tokens: [1, 512] } }, { param: "messages", message: /512, which is no token/ }],
      [base, { prompt: { tokens: [] } }, { param: "messages", message: /is empty/ }],
      [base, { logitBias: new Map([[9999, 1]]) }, { param: "logit_bias", message: /9999/ }],
    ];
    for (const [model, request, expected] of cases) {
      await assert.rejects(() => host.generate(model, { ...once, ...request }), expected);
    }
    const broken = await addBase(cloud.stores, "broken", { "config.json": "{}" });
    await assert.rejects(() => host.generate(broken as BaseRecord, once), { code: "overloaded" });
  });

  it("ends what nobody reads any more, by its signal or by giving it up, and nothing else", async () => {
    const whole = await write({ maxTokens: 400 });
    const stop = new AbortController();
    const [given, cancelled] = await Promise.all([
      host.generate(base, { ...once, maxTokens: 400 }),
      host.generate(base, { ...once, maxTokens: 400 }, stop.signal),
    ]);
    const going = write({ maxTokens: 400 });
    for await (const { tokens } of given.pieces) if (tokens.length > 0) break;
    await assert.rejects(async () => {
      for await (const _ of cancelled.pieces) stop.abort(new Error("gone"));
    }, /gone/);
    assert.deepEqual(await going, whole);
    await assert.rejects(() => host.generate(base, once, AbortSignal.abort(new Error("too late"))), /too late/);
  });

  it("writes the same on a new device where one died before its first word, and says so where it died later", async (t) => {
    const context = createHostContext(cloud.stores.objects, { threads: 1, fileBytes: 2 ** 30 });
    t.after(() => context.close());
    const { generate } = createGeneration(context, { mostTexts: 2 });
    const whole = await write({});
    const first = context.device();
    const early = await generate(base, once);
    first.kill();
    assert.deepEqual(await collect(early), whole);
    assert.notEqual(context.device(), first);
    const late = await generate(base, { ...once, maxTokens: 400 });
    const read = async () => {
      for await (const _ of late.pieces) context.device().kill();
    };
    await assert.rejects(read, { code: "overloaded", message: /to the end/ });
    assert.deepEqual(await collect(await generate(base, once)), whole);
  });

  it("refuses more texts than it may write at once, and takes them again when others are done", async (t) => {
    const context = createHostContext(cloud.stores.objects, { threads: 1, fileBytes: 2 ** 30 });
    t.after(() => context.close());
    const { generate } = createGeneration(context, { mostTexts: 1 });
    const going = collect(await generate(base, once));
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(() => generate(base, once), { code: "queue_full" });
    const whole = await going;
    assert.deepEqual(await collect(await generate(base, once)), whole);
  });

  it("writes on beside classifying and embedding", async () => {
    const going = write({ maxTokens: 300 });
    const vectors = await Promise.all(Array.from({ length: 5 }, () => host.embed(base, ["a little girl"])));
    assert.equal(new Set(vectors.map(([one]) => String(one!.vector))).size, 1);
    assert.equal((await going).tokens.length, 300);
  });
});
