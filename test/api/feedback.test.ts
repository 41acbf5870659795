/** Metrics and feedback, through the official SDK in both versions: every outcome that the contract defines. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newId } from "../../shared/ids.ts";
import type { Feedback } from "../../shared/schemas/feedback.ts";
import type { Inference, InferenceWithContent } from "../../shared/schemas/inference.ts";
import type { Page } from "../../shared/schemas/list.ts";
import { createTenant, type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addEpisode, addInference, addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host: fakeHost() });
});
after(() => deployment.close());

const metrics = {
  solved: { name: "solved", type: "boolean", level: "inference", optimize: "max" },
  stars: { name: "stars", type: "float", level: "inference", optimize: "max" },
  bought: { name: "bought", type: "boolean", level: "episode", optimize: "max" },
};

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    const furnished = async () => {
      const tenant = await createTenant(deployment.stores, "judge");
      const client = new OpenAI({ apiKey: tenant.key, baseURL: deployment.baseURL, maxRetries: 0 });
      for (const body of Object.values(metrics)) await client.post("/metrics", { body });
      const episode_id = await addEpisode(deployment.stores, tenant);
      const { id: inference_id } = await addInference(deployment.stores, tenant, { episode_id });
      const give = (body: object, headers = {}) => client.post("/feedback", { body, headers }) as Promise<Feedback>;
      const list = async (query = "") => ((await client.get(`/feedback?${query}`)) as Page<Feedback>).data;
      const inference = () => client.get(`/inferences/${inference_id}`) as Promise<InferenceWithContent>;
      return { tenant, client, episode_id, inference_id, give, list, inference };
    };

    test("a metric is declared once: again it is the same, and never another of its name", async () => {
      const { client } = await furnished();
      const stars = await client.get("/metrics/stars");
      assert.deepEqual(await client.post("/metrics", { body: metrics.stars }), stars);
      const described = { ...metrics.stars, description: "by the user" };
      assert.deepEqual(
        { ...(stars as object), description: "by the user" },
        await client.post("/metrics", { body: described }),
      );
      const other = { ...metrics.stars, type: "boolean" };
      await assert.rejects(client.post("/metrics", { body: other }), { status: 409, param: "type" });
      for (const name of ["comment", "demonstration"]) {
        await assert.rejects(client.post("/metrics", { body: { ...metrics.stars, name } }), {
          status: 400,
          param: "name",
        });
      }
      const names = ((await client.get("/metrics?limit=2")) as Page<{ id: string }>).data.map(({ id }) => id);
      assert.deepEqual(names, ["bought", "solved"]);
      const rest = (await client.get("/metrics?limit=2&after=solved")) as Page<{ id: string }>;
      assert.deepEqual([rest.data.map(({ id }) => id), rest.has_more], [["stars"], false]);
    });

    test("a metric is deleted as long as nobody gave feedback on it", async () => {
      const { client, inference_id, give } = await furnished();
      await give({ inference_id, metric_name: "solved", value: true });
      await assert.rejects(client.delete("/metrics/solved"), { status: 409 });
      await client.delete("/metrics/stars");
      await assert.rejects(client.get("/metrics/stars"), { status: 404 });
      const late = { inference_id, metric_name: "stars", value: 1 };
      await assert.rejects(give(late), { status: 404, param: "metric_name" });
    });

    test("the same again is the earlier one, and the latest of two that contradict counts", async () => {
      const { inference_id, give, list, inference } = await furnished();
      const first = await give({ inference_id, metric_name: "solved", value: true });
      assert.deepEqual(first, {
        id: first.id,
        object: "feedback",
        inference_id,
        episode_id: null,
        metric_name: "solved",
        value: true,
        in_force: true,
        superseded_by: null,
        created_at: first.created_at,
      });
      assert.deepEqual(await give({ inference_id, metric_name: "solved", value: true }), first);
      const second = await give({ inference_id, metric_name: "solved", value: false });
      const third = await give({ inference_id, metric_name: "solved", value: true });
      assert.deepEqual(await list(`inference_id=${inference_id}`), [
        third,
        { ...second, in_force: false, superseded_by: third.id },
        { ...first, in_force: false, superseded_by: second.id },
      ]);
      const { feedback, metrics: values } = await inference();
      assert.deepEqual([feedback, values], [[third], { solved: true }]);
    });

    test("many who contradict each other at once leave one in force, and nobody is lost", async () => {
      const { inference_id, give, list } = await furnished();
      const values = Array.from({ length: 6 }, (_, i) => i);
      const given = await Promise.all(values.map((value) => give({ inference_id, metric_name: "stars", value })));
      const kept = await list("metric_name=stars&limit=100");
      assert.deepEqual(kept.map(({ id }) => id).sort(), given.map(({ id }) => id).sort());
      const [standing, ...others] = kept.filter(({ in_force }) => in_force);
      assert.deepEqual(others, []);
      const superseding = kept.flatMap(({ superseded_by }) => superseded_by ?? []);
      assert.deepEqual(
        [...superseding, kept.find(({ id }) => !superseding.includes(id))!.id].sort(),
        kept.map(({ id }) => id).sort(),
      );
      assert.ok(standing);
    });

    test("comments stand beside each other; a demonstration is a label, a text or JSON", async () => {
      const { inference_id, episode_id, give, list, inference } = await furnished();
      const long = "long ".repeat(40_000);
      for (const value of ["good", "bad", "good", long]) await give({ inference_id, metric_name: "comment", value });
      await give({ episode_id, metric_name: "comment", value: "all in all" });
      await give({ inference_id, metric_name: "demonstration", value: { label: "spam" } });
      const { feedback, metrics: values } = await inference();
      assert.deepEqual(
        feedback.map(({ value }) => value),
        ["good", "bad", long, { label: "spam" }],
      );
      assert.deepEqual(values, {});
      assert.deepEqual(
        (await list(`episode_id=${episode_id}`)).map(({ value }) => value),
        ["all in all"],
      );
      await give({ inference_id, metric_name: "demonstration", value: "ham" });
      assert.equal((await inference()).feedback.at(-1)?.value, "ham");
    });

    test("what cannot be is refused, naming the field", async () => {
      const { inference_id, episode_id, give, list } = await furnished();
      const cases: [object, number, string][] = [
        [{ inference_id, metric_name: "bought", value: true }, 400, "inference_id"],
        [{ episode_id, metric_name: "solved", value: true }, 400, "episode_id"],
        [{ episode_id, metric_name: "demonstration", value: "x" }, 400, "episode_id"],
        [{ metric_name: "solved", value: true }, 400, "inference_id"],
        [{ inference_id, metric_name: "solved", value: 1 }, 400, "value"],
        [{ inference_id, metric_name: "stars", value: "5" }, 400, "value"],
        [{ inference_id, metric_name: "comment", value: 5 }, 400, "value"],
        [{ inference_id, metric_name: "demonstration", value: "" }, 400, "value"],
        [{ inference_id, metric_name: "unheard", value: 5 }, 404, "metric_name"],
        [{ inference_id: newId("request"), metric_name: "stars", value: 5 }, 404, "inference_id"],
        [{ inference_id: "mine", metric_name: "stars", value: 5 }, 404, "inference_id"],
        [{ episode_id: newId("episode"), metric_name: "bought", value: true }, 404, "episode_id"],
        [{ inference_id, episode_id: newId("episode"), metric_name: "stars", value: 5 }, 400, "episode_id"],
      ];
      for (const [body, status, param] of cases) {
        await assert.rejects(give(body), { status, param }, JSON.stringify(body));
      }
      assert.deepEqual(await list(), []);
    });

    test("with both ids, the metric's level says which of them it is on", async () => {
      const { inference_id, episode_id, give } = await furnished();
      const both = { inference_id, episode_id };
      assert.equal((await give({ ...both, metric_name: "solved", value: true })).episode_id, null);
      const { inference_id: none, episode_id: on } = await give({ ...both, metric_name: "bought", value: true });
      assert.deepEqual([none, on], [null, episode_id]);
    });

    test("an Idempotency-Key stands for one feedback, whatever came between", async () => {
      const { inference_id, give, list } = await furnished();
      const headers = { "Idempotency-Key": "one" };
      const yes = { inference_id, metric_name: "solved", value: true };
      const first = await give(yes, headers);
      const second = await give({ ...yes, value: false });
      const again = await give(yes, headers);
      assert.deepEqual(again, first, "as it was answered then");
      assert.equal((await list()).find(({ in_force }) => in_force)?.id, second.id);
      await assert.rejects(give({ ...yes, value: false }, headers), { status: 422, param: "Idempotency-Key" });
    });

    test("an unmodified client gives feedback by the labels of a stored completion", async () => {
      const { tenant, client, episode_id, give } = await furnished();
      const { id: model } = await addModel(deployment.stores, tenant);
      const messages = [{ role: "user" as const, content: "so be it" }];
      const { id } = await client.chat.completions.create({ model, messages, store: true, metadata: { episode_id } });
      const shown = () => client.get(`/inferences/${id}`) as Promise<InferenceWithContent>;
      const label = (metadata: Record<string, string> | null) => client.chat.completions.update(id, { metadata });
      const metadata = {
        episode_id,
        team: "x",
        feedback_solved: "true",
        feedback_stars: "4.5",
        feedback_bought: "false",
        feedback_comment: "well said",
        feedback_demonstration: "so it is",
        feedback_unheard: "7",
      };
      assert.deepEqual((await label(metadata)).metadata, metadata);
      assert.deepEqual((await shown()).metrics, { solved: true, stars: 4.5 });
      assert.deepEqual((await shown()).feedback.map(({ value }) => value).sort(), [4.5, "so it is", true, "well said"]);
      const ofEpisode = (await client.get(`/feedback?episode_id=${episode_id}`)) as Page<Feedback>;
      assert.deepEqual(
        ofEpisode.data.map(({ metric_name, value }) => [metric_name, value]),
        [["bought", false]],
      );
      // Said otherwise since: a label that is only sent along says nothing anew.
      await give({ inference_id: id, metric_name: "solved", value: false });
      await label({ ...metadata, team: "y" });
      assert.equal((await shown()).metrics.solved, false);
      await label({ ...metadata, feedback_stars: "5" });
      assert.deepEqual((await shown()).metrics, { solved: false, stars: 5 });
      const wrong = { ...metadata, feedback_solved: "maybe", feedback_stars: "1" };
      await assert.rejects(label(wrong), { status: 400, param: "metadata.feedback_solved" });
      assert.deepEqual([(await shown()).metrics.stars, (await shown()).metadata?.feedback_stars], [5, "5"]);
      await label(null);
      assert.deepEqual((await shown()).metrics, { solved: false, stars: 5 });
      const listed = (await client.get("/inferences?metric_name=stars&metric_min=5")) as Page<Inference>;
      assert.equal(listed.data.length, 1);
    });
  });
}
