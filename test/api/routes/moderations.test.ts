/** Moderations: a tuned model's labels told in OpenAI's categories, by the model named or the one assigned. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Moderation, ModerationResult } from "../../../shared/schemas/moderation.ts";
import { moderationCategories } from "../../../shared/schemas/moderation.ts";
import { refused } from "../../support/contract.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { sdks } from "../../support/sdks.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";

/** Each mention of a label weighs ten times as much as none. */
const host = fakeHost();
const assigned = "ft:millrace-ngram:acme::moderate";
let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host, moderationModel: assigned });
  await addModel(deployment.stores, deployment.a, { id: assigned });
  host.labels.set(assigned, ["safe", "hate", "self_harm", "Violence (graphic)", "spam"]);
});
beforeEach(() => {
  host.asked.length = 0;
});
after(() => deployment.close());

const post = (body: object, key?: string) =>
  deployment.fetch("/v1/moderations", {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    ...(key ? { key } : {}),
  });

async function moderate(body: object): Promise<Moderation> {
  const response = await post(body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Moderation;
}

async function resultFor(body: object): Promise<ModerationResult> {
  const { results } = await moderate(body);
  assert.equal(results.length, 1);
  return results[0]!;
}

const trueOnes = (categories: object) => Object.entries(categories).flatMap(([name, value]) => (value ? [name] : []));

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    const connect = (apiKey: string) => new OpenAI({ apiKey, baseURL: deployment.baseURL, maxRetries: 0 });

    test("gets all thirteen categories, by OpenAI's model name as without one", async () => {
      for (const model of ["omni-moderation-latest", "text-moderation-stable", undefined]) {
        const answer = await connect(deployment.keys.a).moderations.create({ input: ["so much hate", "safe"], model });
        assert.match(answer.id, /^modr-/);
        assert.equal(answer.model, assigned);
        const [bad, good] = answer.results;
        assert.deepEqual([bad?.flagged, good?.flagged], [true, false]);
        assert.deepEqual(trueOnes(bad!.categories), ["hate"]);
        assert.ok(Math.abs(bad!.category_scores.hate - 10 / 14) < 1e-9);
        assert.equal(bad!.category_scores.sexual, 0);
        for (const part of [bad!.categories, bad!.category_scores, bad!.category_applied_input_types]) {
          assert.deepEqual(Object.keys(part).sort(), [...moderationCategories].sort());
        }
      }
    });

    test("is told when no model is assigned to its project, and not which one another has", async () => {
      const asking = connect(deployment.keys.b).moderations.create({ input: "x" });
      await assert.rejects(asking, (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError);
        assert.deepEqual([error.code, error.param], ["model_not_found", "model"]);
        assert.ok(/MILLRACE_MODERATION_MODEL/.test(error.message) && !error.message.includes(assigned));
        return true;
      });
    });
  });
}

test("labels are categories however they are spelt, and which ones the model can tell is told", async () => {
  const result = await resultFor({ input: "self_harm self_harm" });
  assert.deepEqual(trueOnes(result.categories), ["self-harm"]);
  const applied = Object.entries(result.category_applied_input_types);
  assert.deepEqual(
    applied.filter(([, types]) => types.length > 0),
    [
      ["hate", ["text"]],
      ["self-harm", ["text"]],
      ["violence/graphic", ["text"]],
    ],
  );
});

test("a kind of harm that OpenAI does not know flags too, and has its score beside the categories", async () => {
  const result = await resultFor({ input: "spam spam" });
  assert.deepEqual([result.flagged, trueOnes(result.categories)], [true, []]);
  assert.deepEqual(Object.keys(result.other_category_scores), ["spam"]);
  assert.ok(Math.abs(result.other_category_scores.spam! - 19 / 23) < 1e-9);
});

test("nothing is flagged at even odds, or in a text of which the model knows nothing", async () => {
  host.labels.set(assigned, ["none", "sexual"]);
  const even = await resultFor({ input: "x" });
  assert.deepEqual([even.flagged, even.categories.sexual, even.category_scores.sexual], [false, false, 0.5]);
  host.labels.set(assigned, ["none", "sexual", "sexual/minors", "Sexual!"]);
  const [unknown, sums] = (await moderate({ input: ["?!", "x"] })).results;
  assert.deepEqual([unknown!.flagged, Math.max(...Object.values(unknown!.category_scores))], [false, 0]);
  assert.equal(sums!.category_scores.sexual, 0.5);
  host.labels.set(assigned, ["safe", "hate", "self_harm", "Violence (graphic)", "spam"]);
});

test("strings are texts of their own, and parts are one", async () => {
  const text = (text: string) => ({ type: "text", text });
  assert.equal((await moderate({ input: ["a", "b", ""] })).results.length, 3);
  assert.equal((await moderate({ input: [text("a"), text("b")] })).results.length, 1);
  assert.deepEqual(
    host.asked.map(({ texts }) => texts),
    [["a", "b", ""], ["a\nb"]],
  );
  const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  const { message } = await refused(await post({ input: [text("a"), image] }), { param: "input[1].type" });
  assert.match(message, /read text only/);
  await refused(await post({ input: [text("a"), "b"] }), { param: "input[1]" });
  await refused(await post({ input: ["a", text("b")] }), { param: "input[1]" });
  await refused(await post({ input: [{ type: "audio" }] }), { param: "input[0].type" });
  await refused(await post({ input: [] }), { param: "input" });
  await refused(await post({ input: new Array(2049).fill("a") }), { param: "input" });
  await refused(await post({}), { code: "missing_required_parameter", param: "input" });
});

test("a model that is named must be the project's own, tuned, and of labels that mean harm or none", async () => {
  const other = await addModel(deployment.stores, deployment.a);
  host.labels.set(other.id, ["ok", "harassment"]);
  const response = await post({ model: other.id, input: "harassment" });
  assert.equal(response.headers.get("x-millrace-model-digest"), other.digest);
  assert.equal(((await response.json()) as Moderation).results[0]?.categories.harassment, true);
  host.labels.delete(other.id);
  const { message } = await refused(await post({ model: other.id, input: "x" }), { param: "model" });
  assert.match(message, /'ham', 'spam'/);
  await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  for (const model of ["millrace-ngram", "tiny-bert"])
    await refused(await post({ model, input: "x" }), { param: "model" });
  await refused(await post({ model: assigned, input: "x" }, deployment.keys.b), {
    status: 404,
    code: "model_not_found",
  });
});

test("without an assignment, or with one of a model that is gone, none is found", async () => {
  const bare = await deploy({ host: fakeHost() });
  const asked = await bare.fetch("/v1/moderations", {
    method: "POST",
    body: JSON.stringify({ input: "x" }),
    headers: { "content-type": "application/json" },
  });
  await refused(asked, { status: 404, code: "model_not_found", param: "model" });
  await bare.close();
  await deployment.client().models.delete(assigned);
  await refused(await post({ input: "x" }), { status: 404, code: "model_not_found", param: "model" });
});
