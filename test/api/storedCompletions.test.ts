/** Stored chat completions through the official SDK in both versions: kept when asked for, found, labelled, deleted. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createTenant, type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host: fakeHost() });
});
after(() => deployment.close());

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    const furnished = async () => {
      const tenant = await createTenant(deployment.stores, "store");
      const client = new OpenAI({ apiKey: tenant.key, baseURL: deployment.baseURL, maxRetries: 0 });
      const { id: model } = await addModel(deployment.stores, tenant);
      const say = (content: string, metadata?: Record<string, string>) =>
        client.chat.completions.create({ model, messages: [{ role: "user", content }], store: true, metadata });
      return { client, model, say, stored: client.chat.completions };
    };
    const idsOf = (page: { data: { id: string }[] }) => page.data.map(({ id }) => id);

    test("are what was answered, and only where it was asked for", async () => {
      const { client, model, say, stored } = await furnished();
      await client.chat.completions.create({ model, messages: [{ role: "user", content: "not kept" }] });
      const created = await say("do keep this", { team: "x" });
      assert.deepEqual(created.choices[0]?.message.content, "do keep this");
      assert.deepEqual({ ...(await stored.retrieve(created.id)) }, { ...created });
      assert.deepEqual(idsOf(await stored.list()), [created.id]);
    });

    test("are kept from a stream, as the stream told them", async () => {
      const { client, model, stored } = await furnished();
      const messages = [{ role: "user" as const, content: "word by word" }];
      const chunks = await Array.fromAsync(
        await client.chat.completions.create({ model, messages, n: 2, store: true, stream: true }),
      );
      const kept = await stored.retrieve(chunks[0]!.id);
      assert.deepEqual(
        kept.choices.map(({ message }) => message.content),
        ["word by word", "word by word"],
      );
      assert.deepEqual([kept.created, kept.usage?.completion_tokens], [chunks[0]!.created, 6]);
    });

    test("are listed by model and labels, in either order, page by page", async () => {
      const { model, say, stored } = await furnished();
      const labels: (Record<string, string> | undefined)[] = [{ a: "1" }, { a: "1", b: "2" }, undefined];
      const ids: string[] = [];
      for (const [i, metadata] of labels.entries()) ids.push((await say(`${i}`, metadata)).id);
      assert.deepEqual(idsOf(await stored.list()), ids);
      assert.deepEqual(idsOf(await stored.list({ order: "desc" })), ids.toReversed());
      assert.deepEqual(idsOf(await stored.list({ metadata: { a: "1" } })), ids.slice(0, 2));
      assert.deepEqual(idsOf(await stored.list({ metadata: { a: "1", b: "2" } })), [ids[1]]);
      assert.deepEqual(idsOf(await stored.list({ model })), ids);
      assert.deepEqual(idsOf(await stored.list({ model: "another" })), []);
      const seen: string[] = [];
      for await (const { id } of stored.list({ limit: 1 })) seen.push(id);
      assert.deepEqual(seen, ids);
    });

    test("take new labels, by which they are found again", async () => {
      const { say, stored } = await furnished();
      const { id } = await say("yes", { old: "1" });
      const updated = await stored.update(id, { metadata: { feedback_score: "1" } });
      assert.deepEqual(updated.metadata, { feedback_score: "1" });
      assert.deepEqual(idsOf(await stored.list({ metadata: { feedback_score: "1" } })), [id]);
      assert.deepEqual(idsOf(await stored.list({ metadata: { old: "1" } })), []);
      assert.deepEqual((await stored.update(id, { metadata: null })).metadata, {});
    });

    test("come with what was said before", async () => {
      const { client, model, stored } = await furnished();
      const parts = [{ type: "text" as const, text: "and this" }];
      const { id } = await client.chat.completions.create({
        model,
        store: true,
        messages: [
          { role: "system", content: "be brief" },
          { role: "user", name: "Ann", content: parts },
        ],
      });
      const { data } = await stored.messages.list(id);
      assert.deepEqual(
        data.map((message) => [message.id, message.role as string, message.content, message.content_parts]),
        [
          [`${id}-0`, "system", "be brief", null],
          [`${id}-1`, "user", null, parts],
        ],
      );
      const seen: string[] = [];
      for await (const message of stored.messages.list(id, { limit: 1, order: "desc" })) seen.push(message.id);
      assert.deepEqual(seen, [`${id}-1`, `${id}-0`]);
    });

    test("are kept however long they are, and gone when they are deleted", async () => {
      const { say, stored } = await furnished();
      const long = "x".repeat(600_000);
      const { id } = await say(long);
      assert.equal((await stored.retrieve(id)).choices[0]?.message.content, long);
      assert.deepEqual({ ...(await stored.delete(id)) }, { id, object: "chat.completion.deleted", deleted: true });
      for (const call of [
        () => stored.retrieve(id),
        () => stored.delete(id),
        () => stored.update(id, { metadata: null }),
      ]) {
        await assert.rejects(call, OpenAI.NotFoundError);
      }
      assert.deepEqual(idsOf(await stored.list()), []);
    });
  });
}
