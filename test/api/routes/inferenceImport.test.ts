/** What was answered elsewhere becomes inferences: in their order, findable, once however often sent, and one's own alone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import { lessonOf } from "../../../shared/inference/lessons.ts";
import type { ImportedInference, InferenceImport } from "../../../shared/schemas/importedInference.ts";
import type { InferenceWithContent } from "../../../shared/schemas/inference.ts";
import type { Page } from "../../../shared/schemas/list.ts";
import { createTenant, type Deployment, deploy } from "../../support/deployment.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

const newClient = async () => {
  const tenant = await createTenant(deployment.stores, "moved");
  return deployment.client({ apiKey: tenant.key });
};

const march = 1_772_323_200;
const usage = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 };

function recorded(n: number, { message = {}, ...changes }: { message?: object } & Partial<ImportedInference> = {}) {
  const said = { role: "assistant", content: "spam", ...message };
  return {
    id: `chatcmpl-old${n}`,
    model: "ft:gpt-4o-mini:acme::abc",
    created_at: march + n,
    input: { messages: [{ role: "user", content: `text ${n}` }] },
    output: { object: "chat.completion", choices: [{ finish_reason: "stop", message: said }], usage },
    ...changes,
  };
}

const send = (client: OpenAI, data: unknown[]) => client.post<Page<InferenceImport>>("/inferences", { body: { data } });
const listed = async (client: OpenAI, query = "") => {
  return (await client.get<Page<{ id: string }>>(`/inferences?${query}`)).data.map(({ id }) => id);
};

test("they stand in the order they were asked in, with what was said, their old ids and times", async () => {
  const client = await newClient();
  const { data } = await send(client, [recorded(2, { metadata: { team: "a" } }), recorded(1)]);
  assert.deepEqual(
    data.map(({ imported_id, is_new, is_stored }) => [imported_id, is_new, is_stored]),
    [
      ["chatcmpl-old2", true, true],
      ["chatcmpl-old1", true, true],
    ],
  );
  assert.deepEqual(await listed(client, "model=ft:gpt-4o-mini:acme::abc"), [data[0]!.id, data[1]!.id]);
  assert.deepEqual(await listed(client, `created_before=${march + 2}`), [data[1]!.id]);
  const found = await client.get<InferenceWithContent>(`/inferences/${data[0]!.id}`);
  assert.deepEqual(found.metadata, { team: "a", imported_id: "chatcmpl-old2" });
  assert.deepEqual(lessonOf(found.endpoint, found), { text: "text 2", label: "spam" }, "something to learn from");
  assert.deepEqual([found.created_at, found.input], [march + 2, recorded(2).input]);
  const [first, second] = (await client.chat.completions.list({ order: "asc" })).data;
  assert.deepEqual(
    [first?.metadata?.imported_id, second?.metadata?.imported_id],
    ["chatcmpl-old1", "chatcmpl-old2"],
    "stored chat completions, too",
  );
  assert.equal((await client.chat.completions.retrieve(first!.id)).choices[0]?.message.content, "spam");
  const messages = await client.chat.completions.messages.list(first!.id);
  assert.deepEqual(
    messages.data.map(({ content }) => content),
    ["text 1"],
  );
});

test("sent again, also twice in one request, they are there once and stay as they were", async () => {
  const client = await newClient();
  const [first] = (await send(client, [recorded(1)])).data;
  const changed = recorded(1, { message: { content: "ham" } });
  const { data } = await send(client, [changed, recorded(2), recorded(2)]);
  assert.deepEqual(
    data.map(({ is_new }) => is_new),
    [false, true, false],
  );
  assert.deepEqual(await listed(client), [data[1]!.id, first!.id]);
  const { output } = await client.get<InferenceWithContent>(`/inferences/${first!.id}`);
  assert.match(JSON.stringify(output), /"spam"/);
});

test("what called tools is an inference, but no stored chat completion", async () => {
  const client = await newClient();
  const message = { content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "f" } }] };
  const called = recorded(1, { output: { choices: [{ message, finish_reason: "tool_calls" }], usage } });
  const { data } = await send(client, [called]);
  assert.equal(data[0]!.is_stored, false);
  assert.deepEqual((await client.chat.completions.list()).data, []);
  assert.deepEqual(await listed(client), [data[0]!.id]);
});

test("another project sees nothing of them, and may bring in the same ones as its own", async () => {
  const [client, stranger] = [await newClient(), await newClient()];
  const [mine] = (await send(client, [recorded(1)])).data;
  assert.deepEqual(await listed(stranger), []);
  await assert.rejects(stranger.get(`/inferences/${mine!.id}`), { status: 404 });
  const [theirs] = (await send(stranger, [recorded(1)])).data;
  assert.equal(theirs!.is_new, true);
  assert.notEqual(theirs!.id, mine!.id);
});

test("one that cannot be kept is named, and then none is", async () => {
  const client = await newClient();
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
  const refused = (item: object, param: string) =>
    assert.rejects(send(client, [recorded(1), item]), { status: 400, param: `data[1].${param}` });
  await refused(recorded(2, { created_at: Math.floor(Date.now() / 1000) + 3600 }), "created_at");
  await refused(recorded(2, { metadata: labels(16) }), "metadata");
  await refused({ ...recorded(2), input: { messages: [] } }, "input.messages");
  await refused({ ...recorded(2), output: { choices: [{}] } }, "output.choices[0].message");
  assert.deepEqual(await listed(client), []);
  await send(client, [recorded(2, { metadata: labels(15) })]);
  assert.equal((await listed(client)).length, 1);
});

test("the project's retention begins when they come", async () => {
  const tenant = await createTenant(deployment.stores, "forgetful");
  const client = deployment.client({ apiKey: tenant.key });
  await client.post(`/organization/projects/${tenant.project.id}`, { body: { inference_retention_days: 2 } });
  const [kept] = (await send(client, [recorded(1)])).data;
  const { expires_at } = await client.get<InferenceWithContent>(`/inferences/${kept!.id}`);
  assert.ok(Math.abs(expires_at! - Date.now() / 1000 - 2 * 24 * 60 * 60) < 60);
});
