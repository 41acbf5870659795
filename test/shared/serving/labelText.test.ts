/** A classifier that is asked to write answers with its label, as sure as it is, and refuses what has no text or no JSON. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import type { TextRequest } from "../../../shared/serving/generation.ts";
import { writeLabel } from "../../../shared/serving/labelText.ts";
import { fakeHost } from "../../support/fakeHost.ts";

const host = fakeHost();
const model = { id: "ft:labels" } as ModelRecord;
const names = { prompt: "messages", json: "response_format" };
const said = (role: "system" | "user" | "assistant", content: string) => ({ role, content });

async function write(request: Partial<TextRequest>, of = model) {
  const text = await writeLabel(host, of, { prompt: { text: "spam" }, names, ...request });
  return { ...text, pieces: await Array.fromAsync(text.pieces) };
}

test("it reads what the users said, and nothing else", async () => {
  host.asked.length = 0;
  const messages = [said("system", "ham"), said("user", "spam"), said("assistant", "ham ham"), said("user", "spam")];
  const { promptTokens, pieces } = await write({ prompt: { messages } });
  assert.deepEqual(host.asked, [{ model: model.id, texts: ["spam\nspam"] }]);
  assert.equal(promptTokens, 2);
  assert.deepEqual(
    pieces.map(({ text, finishReason }) => [text, finishReason]),
    [["spam", "stop"]],
  );
});

test("the label is one token with the label's probability, and the others stand behind it", async () => {
  const { pieces } = await write({ topLogProbabilities: 5 });
  const [token] = pieces[0]!.tokens;
  assert.equal(Buffer.from(token!.bytes).toString(), "spam");
  assert.ok(Math.abs(Math.exp(token!.logProbability) - 10 / 11) < 1e-9);
  assert.deepEqual(
    token!.top.map(({ text, logProbability }) => [text, Math.round(Math.exp(logProbability) * 11)]),
    [
      ["spam", 10],
      ["ham", 1],
    ],
  );
  assert.deepEqual((await write({})).pieces[0]!.tokens[0]!.top, []);
});

test("JSON is answered where the labels are JSON, and refused where they are not", async () => {
  const json = { type: "object" } as const;
  await assert.rejects(write({ json }), { code: "invalid_value", param: "response_format" });
  const labelled = { ...model, id: "ft:json" };
  host.labels.set(labelled.id, ['{"label":"spam"}', '{"label":"ham"}']);
  const prompt = { text: 'Is it {"label":"spam"}?' };
  assert.equal((await write({ json, prompt }, labelled)).pieces[0]!.text, '{"label":"spam"}');
});

test("what holds no text to classify is refused by name", async () => {
  const refusal = { code: "invalid_value", param: "messages" };
  await assert.rejects(write({ prompt: { messages: [said("system", "x")] } }), refusal);
  await assert.rejects(write({ prompt: { tokens: [1, 2] } }), refusal);
  const table = { ...model, columns: [{ name: "age", kind: "number" as const }] };
  await assert.rejects(write({}, table), { code: "invalid_value", param: "model" });
});
