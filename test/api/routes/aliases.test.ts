/** Aliases: a call means the model that the name means at that moment, and every move is one write that is told of later. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import type { Alias, AliasMove } from "../../../shared/schemas/alias.ts";
import { keyHash } from "../../../shared/stores/apiKeyRows.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { type FakeHost, fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";

let deployment: Deployment;
let client: OpenAI;
let host: FakeHost;
let [blue, green] = ["", ""];
before(async () => {
  host = fakeHost();
  deployment = await deploy({ host });
  client = deployment.client();
  blue = (await addModel(deployment.stores, deployment.a, { id: "ft:blue" })).id;
  green = (await addModel(deployment.stores, deployment.a, { id: "ft:green" })).id;
});
after(() => deployment.close());

const create = (name: string, model: string) => client.post<Alias>("/aliases", { body: { name, model } });
const move = (name: string, body: { model: string; from?: string; reason?: string }) =>
  client.post<Alias>(`/aliases/${name}`, { body });
const questions = [{ type: "predicate", instructions: "ham" }] as const;
const ask = async (model: string) =>
  (await client.decisions.create({ model, input: "x", questions: [...questions] })).model;

test("a name stands for a model in any call, from the moment of its move, and answers name the model itself", async () => {
  assert.equal((await create("prod", blue)).model, blue);
  assert.equal(await ask("alias:prod"), blue);
  const moved = await move("prod", { model: green, reason: "two points better" });
  assert.deepEqual([moved.id, moved.name, moved.model], ["alias:prod", "prod", green]);
  assert.equal(await ask("alias:prod"), green);
  const batchLine = await client.chat.completions.create({
    model: "alias:prod",
    messages: [{ role: "user", content: "x" }],
  });
  assert.equal(batchLine.model, green);
});

test("its moves tell who, from where to where, and why, even when it is gone", async () => {
  await create("told", blue);
  await move("told", { model: green, reason: "better" });
  await client.delete("/aliases/told");
  const { data } = await client.get<{ data: AliasMove[] }>("/aliases/told/moves");
  const key = (await deployment.stores.apiKeys.find(keyHash(deployment.keys.a)))!;
  assert.deepEqual(
    data.map(({ from, to, reason, moved_by }) => [from, to, reason, moved_by]),
    [
      [green, null, null, key.id],
      [blue, green, "better", key.id],
      [null, blue, null, key.id],
    ],
  );
  await assert.rejects(ask("alias:told"), { status: 404, param: "model" });
});

test("of twenty that move it from the same model one does, and each move that was told of is in its history", async () => {
  await create("raced", blue);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => move("raced", { model: green, from: blue, reason: `mover ${i}` })),
  );
  const refused = outcomes.filter(({ status }) => status === "rejected");
  const { data } = await client.get<{ data: AliasMove[] }>("/aliases/raced/moves");
  assert.equal(data.length, 2);
  // Who comes when it is moved already has what they wanted.
  assert.ok(refused.every((outcome) => outcome.status === "rejected" && outcome.reason.status === 409));
  assert.equal((await client.get<Alias>("/aliases/raced")).model, green);
});

test("what would leave a name without a model is refused", async () => {
  await create("kept", blue);
  await assert.rejects(client.models.delete(blue), { status: 409 });
  await assert.rejects(create("kept", green), { status: 409, param: "name" });
  assert.equal((await create("kept", blue)).model, blue, "asked for again");
  await assert.rejects(create("chained", "alias:kept"), { status: 400, param: "model" });
  await assert.rejects(create("lost", "ft:none"), { status: 404, param: "model" });
  await assert.rejects(create("Bad Name", blue), { status: 400, param: "name" });
  await assert.rejects(move("kept", { model: green, from: green }), { status: 409, param: "from" });
});

test("a whole name of a model elsewhere is an alias by itself, moves like one, and never hides a model", async () => {
  const old = "ft:gpt-4o-mini-2024-07-18:Acme::AbC123";
  await assert.rejects(ask(old), { status: 404, param: "model" });
  const made = await create(old, blue);
  assert.deepEqual([made.id, made.name, made.model], [old, old, blue]);
  assert.equal(await ask(old), blue);
  assert.equal((await move(encodeURIComponent(old), { model: green })).model, green);
  assert.equal(await ask(old), green);
  await assert.rejects(ask(`alias:${blue}`), { status: 404, param: "model" });
  await assert.rejects(create("chained", old), { status: 400, param: "model" });
  await assert.rejects(create(blue, green), { status: 400, param: "name" });
  await assert.rejects(create("ft:a/b", green), { status: 400, param: "name" });
  const stranger = deployment.client({ apiKey: deployment.keys.b });
  const asked = { model: old, input: "x", questions: [...questions] };
  await assert.rejects(stranger.decisions.create(asked), { status: 404, param: "model" });
  assert.equal((await client.delete<{ id: string }>(`/aliases/${old}`)).id, old);
  await assert.rejects(ask(old), { status: 404, param: "model" });
});
