/** Uploads in parts: one file of exactly the bytes that were meant, once, whoever dies or asks twice. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type OpenAI from "openai";
import { APIError } from "openai";
import type { Upload, UploadPartLink } from "../../../shared/schemas/upload.ts";
import { clearLeftovers } from "../../../workers/sweeper.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { startGate } from "../../support/gate.ts";
import { make } from "../../support/organizations.ts";
import { sdks } from "../../support/sdks.ts";
import { startServer } from "../../support/serverProcess.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ maxUploadBytes: 32 * 1024 * 1024 });
});
after(() => deployment.close());

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));
const days = (count: number) => Date.now() + count * 24 * 60 * 60 * 1000;

const wish = (bytes = content.length, more = {}) => ({
  ...{ bytes, filename: "rows.jsonl", mime_type: "application/jsonl", purpose: "fine-tune" as const },
  ...more,
});
const addPart = (client: OpenAI, id: string, bytes: Buffer) =>
  client.uploads.parts.create(id, { data: new File([new Uint8Array(bytes)], "part") });

async function inParts(client: OpenAI, size: number) {
  const upload = await client.uploads.create(wish());
  const parts: string[] = [];
  // Not in the order in which they are put together.
  const starts = Array.from({ length: Math.ceil(content.length / size) }, (_, i) => i * size).reverse();
  for (const start of starts) {
    parts.unshift((await addPart(client, upload.id, content.subarray(start, start + size))).id);
  }
  return { upload, parts };
}

async function bytesOf(client: OpenAI, file: string): Promise<Buffer> {
  return Buffer.from(await (await client.files.content(file)).arrayBuffer());
}

async function stored(): Promise<string[]> {
  const { aws, names, a } = deployment;
  const asked = new ListObjectsV2Command({ Bucket: names.bucket, Prefix: `${a.project.id}/` });
  return ((await aws.s3.send(asked)).Contents ?? []).map(({ Key }) => Key!);
}

async function refused(work: Promise<unknown>, status: number, param: string | null, message = /./): Promise<void> {
  const error = await work.then(
    () => assert.fail("it was not refused"),
    (thrown) => thrown as APIError,
  );
  assert.ok(error instanceof APIError || "status" in error, String(error));
  assert.deepEqual([error.status, error.param ?? null], [status, param], error.message);
  assert.match(error.message, message);
}

for (const [version, Sdk] of Object.entries(sdks)) {
  describe(version, () => {
    const connect = () => new Sdk({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });

    test("a file comes in parts, in the order that is told at the end", async () => {
      const client = connect();
      const { upload, parts } = await inParts(client, 100_000);
      assert.deepEqual([upload.object, upload.status, upload.file ?? null], ["upload", "pending", null]);
      assert.ok(upload.expires_at - upload.created_at === 3600);
      const md5 = createHash("md5").update(content).digest("hex");
      const completed = await client.uploads.complete(upload.id, { part_ids: parts, md5 });
      assert.equal(completed.status, "completed");
      const file = completed.file!;
      assert.deepEqual([file.bytes, file.filename, file.purpose], [content.length, "rows.jsonl", "fine-tune"]);
      assert.deepEqual(await bytesOf(client, file.id), content);
      assert.equal((await client.files.retrieve(file.id)).status, "processed");
      // Again, as after an answer that was lost.
      assert.deepEqual(await client.uploads.complete(upload.id, { part_ids: parts }), completed);
      await refused(client.uploads.complete(upload.id, { part_ids: parts.toReversed() }), 409, null, /completed/);
      await refused(addPart(client, upload.id, content), 409, null, /completed/);
      await refused(client.uploads.cancel(upload.id), 409, null);
      assert.deepEqual(
        (await stored()).filter((key) => key.includes("/uploads/")),
        [],
      );
    });

    test("cancelled, it takes nothing any more, and its parts are gone", async () => {
      const client = connect();
      const { upload, parts } = await inParts(client, 200_000);
      const cancelled = await client.uploads.cancel(upload.id);
      assert.equal(cancelled.status, "cancelled");
      assert.deepEqual(await client.uploads.cancel(upload.id), cancelled);
      await refused(client.uploads.complete(upload.id, { part_ids: parts }), 409, null, /cancelled/);
      await refused(addPart(client, upload.id, content), 409, null);
      assert.deepEqual(
        (await stored()).filter((key) => key.includes("/uploads/")),
        [],
      );
    });
  });
}

const link = (upload: string, bytes: number, key?: string) =>
  deployment.fetch(`/v1/uploads/${upload}/part_links`, {
    method: "POST",
    body: JSON.stringify({ bytes }),
    headers: { "content-type": "application/json" },
    ...(key && { key }),
  });

test("a part may go straight into the bucket, beside one that does not: exactly as many bytes as were told", async () => {
  const client = deployment.client();
  const upload = await client.uploads.create(wish());
  const [head, tail] = [content.subarray(0, 250_000), content.subarray(250_000)];
  const linked = (await (await link(upload.id, head.length)).json()) as UploadPartLink;
  assert.deepEqual(
    [linked.object, linked.upload_id, linked.expires_at],
    ["upload.part_link", upload.id, upload.expires_at],
  );
  const last = await addPart(client, upload.id, tail);
  const part_ids = [linked.id, last.id];
  await refused(client.uploads.complete(upload.id, { part_ids }), 400, "part_ids[0]", /Nothing was uploaded/);
  const send = (bytes: Buffer) => fetch(linked.url, { method: linked.method, body: new Uint8Array(bytes) });
  assert.equal((await send(tail)).status, 403);
  assert.equal((await send(head)).status, 200);
  const { file } = await client.uploads.complete(upload.id, { part_ids });
  assert.deepEqual(await bytesOf(client, file!.id), content);
  // The link is good for a while yet. What comes by it is nobody's, and goes.
  assert.equal((await send(head)).status, 200);
  assert.equal((await stored()).filter((key) => key.includes("/uploads/")).length, 1);
  await clearLeftovers(deployment.stores.leftovers, days(2));
  assert.deepEqual(
    (await stored()).filter((key) => key.includes("/uploads/")),
    [],
  );
  assert.deepEqual(await bytesOf(client, file!.id), content, "what is a file stays");
});

test("what does not come to the declared file is refused by name, and nothing is left of it", async () => {
  const client = deployment.client();
  const { upload, parts } = await inParts(client, 200_000);
  const before = (await stored()).length;
  const complete = (part_ids: string[], md5?: string) =>
    client.uploads.complete(upload.id, { part_ids, ...(md5 && { md5 }) });
  await refused(complete([parts[0]!]), 400, "part_ids", /200000 bytes, not 300000/);
  await refused(complete([parts[0]!, parts[0]!]), 400, "part_ids[1]", /twice/);
  await refused(complete([parts[0]!, "part_unknown"]), 400, "part_ids[1]", /no part/);
  await refused(complete(parts, "0".repeat(32)), 400, "md5");
  await refused(complete(parts, "none"), 400, "md5");
  await refused(client.uploads.create(wish(33 * 1024 * 1024)), 413, "bytes");
  await refused(client.uploads.create(wish(0)), 400, "bytes");
  await refused(client.uploads.create(wish(1, { purpose: "fun" })), 400, "purpose");
  await refused(addPart(client, upload.id, Buffer.alloc(0)), 400, "data");
  assert.equal((await stored()).length, before);
  assert.equal((await complete(parts)).status, "completed");
});

test("another project's upload is none, and its parts are no parts of one's own", async () => {
  const [own, other] = [deployment.client(), deployment.client({ apiKey: deployment.keys.b })];
  const { upload, parts } = await inParts(own, 200_000);
  await refused(addPart(other, upload.id, content), 404, "id");
  await refused(other.uploads.complete(upload.id, { part_ids: parts }), 404, "id");
  await refused(other.uploads.cancel(upload.id), 404, "id");
  assert.equal((await link(upload.id, 1, deployment.keys.b)).status, 404);
  const theirs = await other.uploads.create(wish());
  await refused(other.uploads.complete(theirs.id, { part_ids: parts }), 400, "part_ids[0]", /no part/);
  assert.equal((await own.uploads.complete(upload.id, { part_ids: parts })).status, "completed");
});

test("expired, it takes nothing, and what it had is cleared", async () => {
  const client = deployment.client();
  const { upload, parts } = await inParts(client, 200_000);
  const { stores, a } = deployment;
  const record = (await stores.uploads.get(a.project.id, upload.id))!;
  // No part of the API turns a clock: the row as it will be in an hour.
  const past = { ...record, id: record.id.replace(/.$/, (last) => (last === "0" ? "1" : "0")), expires_at: 1 };
  await stores.uploads.create(past);
  await refused(client.uploads.complete(past.id, { part_ids: parts }), 409, null, /expired/);
  await refused(addPart(client, past.id, content), 409, null, /expired/);
  assert.ok((await stored()).some((key) => key.includes(`/uploads/${upload.id}/`)));
  await clearLeftovers(stores.leftovers, days(2));
  assert.deepEqual(
    (await stored()).filter((key) => key.includes(`/uploads/${upload.id}/`)),
    [],
  );
});

test("an upload takes its room when it begins, and gives it back when it is cancelled", async () => {
  const project = (await make(deployment, "projects", { name: "small" })).id;
  await make(deployment, `projects/${project}/rate_limits/rl-project`, { max_stored_bytes: 500_000 });
  const key = await make<{ value: string }>(deployment, `projects/${project}/api_keys`, { name: "k" });
  const client = deployment.client({ apiKey: key.value });
  const { upload, parts } = await inParts(client, 200_000);
  await refused(client.uploads.create(wish()), 429, "file", /do not fit/);
  await client.uploads.complete(upload.id, { part_ids: parts });
  await refused(client.uploads.create(wish()), 429, "file", /take 300000 of 500000/);
  const second = await client.uploads.create(wish(200_000));
  await refused(client.uploads.create(wish(1)), 429, "file");
  await client.uploads.cancel(second.id);
  assert.equal((await client.uploads.create(wish(200_000))).status, "pending");
});

test("two who complete it at once end with one file, and both are told so", async () => {
  const client = deployment.client();
  const { upload, parts } = await inParts(client, 100_000);
  const before = (await stored()).filter((key) => key.includes("/files/")).length;
  const both = await Promise.all([1, 2, 3].map(() => client.uploads.complete(upload.id, { part_ids: parts })));
  assert.deepEqual([...new Set(both.map(({ status, file }) => `${status} ${file?.id}`))].length, 1);
  assert.equal((await stored()).filter((key) => key.includes("/files/")).length, before + 1);
  assert.deepEqual(await bytesOf(client, both[0]!.file!.id), content);
});

test("a server that is killed between the bytes and the row leaves an upload that another completes", async () => {
  const { upload, parts } = await inParts(deployment.client(), 100_000);
  const files = async () => (await stored()).filter((key) => key.includes("/files/"));
  const before = await files();
  const gate = await startGate(deployment.environment.AWS_ENDPOINT_URL_DYNAMODB!);
  const first = await startServer({ ...deployment.environment, AWS_ENDPOINT_URL_DYNAMODB: gate.url });
  try {
    const held = gate.hold(({ body }) => body.includes("TransactItems") && body.includes("completed"));
    const asked = fetch(`${first.baseURL}/uploads/${upload.id}/complete`, {
      method: "POST",
      body: JSON.stringify({ part_ids: parts }),
      headers: { authorization: `Bearer ${deployment.keys.a}`, "content-type": "application/json" },
    }).catch(() => undefined);
    await held;
    await first.stop("SIGKILL");
    await asked;
  } finally {
    await gate.close();
  }
  assert.equal((await files()).length, before.length + 1, "bytes without a row");
  const completed: Upload = (await deployment.client().uploads.complete(upload.id, { part_ids: parts })) as never;
  assert.deepEqual(await bytesOf(deployment.client(), completed.file!.id), content);
  await clearLeftovers(deployment.stores.leftovers, days(2));
  assert.equal((await files()).length, before.length + 1, "those of the killed one are gone, the file's stay");
  assert.deepEqual(await bytesOf(deployment.client(), completed.file!.id), content);
});
