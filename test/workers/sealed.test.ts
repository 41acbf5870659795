/** Where organizations have keys: nothing of what customers trained on lies readable on the disk, and when the key is deleted all of it is gone. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { toFile } from "openai";
import { fakeHost } from "../support/fakeHost.ts";
import { rowsOf } from "../support/trainingData.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

const marker = "Zyzzyva7Marker";
const rows = rowsOf(12).map(({ text, label }) => ({ text: `${text} ${marker}`, label }));
const path = "/v1/organization/encryption_key";

let shop: Workshop;
let model: string;
let training: string;
before(async () => {
  shop = await openWorkshop({ host: fakeHost(), keysAt: (home) => `file:${join(home, "keys")}` });
  const worker = await shop.work();
  const job = await shop.finished(await shop.submit({ training: rows, validation: rows }));
  assert.equal(job.status, "succeeded", job.error?.message);
  // It removes its working files behind the job's end: what is left when it has gone is what stays.
  assert.equal(await worker.end("SIGTERM"), 0);
  model = job.fine_tuned_model!;
  training = job.training_file;
});
after(() => shop.close());

const admin = async (method: string, at: string, key = shop.a.adminKey) => {
  const answer = await shop.fetch(at, { method, key });
  // biome-ignore lint/suspicious/noExplicitAny: what it is the assertions say.
  return { status: answer.status, body: (await answer.json()) as any };
};
const ask = () => shop.client().chat.completions.create({ model, messages: [{ role: "user", content: "spam spam" }] });
const gone = { status: 410, code: "encryption_key_deleted" };

describe("a training where organizations have keys", () => {
  it("leaves neither rows nor words of them readable in the cloud's data", () => {
    const files = readdirSync(shop.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    assert.ok(files.length > 5);
    for (const word of [marker, "courier", "delivery", "train_loss"]) {
      const found = files.filter((file) => file.includes("blobs") && readFileSync(file).includes(word));
      assert.deepEqual(found, [], word);
    }
    assert.deepEqual(
      files.filter((file) => readFileSync(file).includes(marker)),
      [],
    );
  });

  it("is as good to its owner as any", async () => {
    const client = shop.client();
    const content = await (await client.files.content(training)).text();
    assert.deepEqual(
      content
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
      rows,
    );
    assert.ok((await ask()).choices[0]!.message.content);
  });

  it("streams also what is large, which has no link", async () => {
    const large = Buffer.alloc(5 * 1024 * 1024, '{"text":"a","label":"b"}\n');
    const { id } = await shop.client().files.create({ file: await toFile(large, "large.jsonl"), purpose: "fine-tune" });
    const answer = await shop.fetch(`/v1/files/${id}/content`, { redirect: "manual" });
    assert.equal(answer.status, 200);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(large));
  });
});

describe("the organization's key", () => {
  it("is shown to an owner, never its bytes, and rotated", async () => {
    assert.equal((await admin("GET", path, shop.a.key)).status, 403);
    const { body } = await admin("GET", path);
    assert.deepEqual([body.status, body.version, body.deleted_at], ["active", 1, null]);
    assert.deepEqual(Object.keys(body).sort(), ["created_at", "deleted_at", "object", "status", "version"]);
    assert.equal((await admin("POST", `${path}/rotate`)).body.version, 2);
  });

  it("is deleted by nobody who does not say whose", async () => {
    assert.equal((await admin("DELETE", path)).status, 400);
    const { status, body } = await admin("DELETE", `${path}?confirmation=${shop.b.project.organization_id}`);
    assert.deepEqual([status, body.error.param], [400, "confirmation"]);
    assert.equal((await admin("GET", path)).body.status, "active");
  });

  it("is deleted, and with it files, models and the work on them, but nobody else's", async () => {
    const theirs = await shop.client({ apiKey: shop.b.key }).files.create({
      ...{ file: await toFile(Buffer.from("{}\n"), "theirs.jsonl"), purpose: "fine-tune" },
    });
    const { body } = await admin("DELETE", `${path}?confirmation=${shop.a.project.organization_id}`);
    assert.deepEqual([body.status, body.version], ["deleted", null]);
    assert.deepEqual(readdirSync(join(shop.home, "keys", shop.a.project.organization_id)), []);

    const client = shop.client();
    await assert.rejects(client.files.content(training), gone);
    await assert.rejects(
      client.files.create({ file: await toFile(Buffer.from("{}\n"), "x.jsonl"), purpose: "fine-tune" }),
      gone,
    );
    await assert.rejects(ask(), gone);
    await shop.work();
    const { id } = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file: training });
    const job = await shop.finished(id);
    assert.deepEqual([job.status, job.error?.code], ["failed", "encryption_key_deleted"]);

    const others = await shop.client({ apiKey: shop.b.key }).files.content(theirs.id);
    assert.equal(await others.text(), "{}\n");
    assert.equal(shop.observed.filter(({ type }) => type === "failed").length, 0, "nothing of it is our fault");
  });

  it("has a line in the audit log for each of that", async () => {
    const { body } = await admin("GET", "/v1/organization/audit_logs");
    const types = body.data.map(({ type }: { type: string }) => type);
    assert.deepEqual(types.slice(0, 2), ["encryption_key.deleted", "encryption_key.rotated"]);
  });
});
