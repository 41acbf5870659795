/** Uploads and downloads: what is acknowledged is stored, what is refused leaves nothing behind. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { after, before, beforeEach, test } from "node:test";
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { File } from "../../../shared/schemas/file.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { end, field, file, fileHead, multipartType, streamed } from "../../support/multipart.ts";

const maxUploadBytes = 13 * 1024 * 1024;
const purpose = field("purpose", "fine-tune");

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ maxUploadBytes });
});
after(() => deployment.close());

interface Remains {
  files: number;
  objects: number;
  unfinished: number;
}

async function remains(): Promise<Remains> {
  const Bucket = deployment.names.bucket;
  const [files, objects, uploads] = await Promise.all([
    deployment.stores.files.list(deployment.a.project.id, { limit: 1000, order: "asc" }),
    deployment.aws.s3.send(new ListObjectsV2Command({ Bucket })),
    deployment.aws.s3.send(new ListMultipartUploadsCommand({ Bucket })),
  ]);
  return { files: files.length, objects: objects.KeyCount ?? 0, unfinished: uploads.Uploads?.length ?? 0 };
}

let earlier: Remains;
beforeEach(async () => {
  earlier = await remains();
});
const nothingRemains = async () => assert.deepEqual(await remains(), earlier);

const post = (body: string | Uint8Array<ArrayBuffer>) =>
  deployment.fetch("/v1/files", { method: "POST", body, headers: { "content-type": multipartType } });

async function accepted(...parts: string[]): Promise<File> {
  const response = await post(parts.join(""));
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as File;
}

async function refused(parts: string[], status: number, param: string | null): Promise<void> {
  const response = await post(parts.join(""));
  const { error } = (await response.json()) as { error: { param: string | null; message: string } };
  assert.deepEqual([response.status, error.param], [status, param], error.message);
  await nothingRemains();
}

test("the purpose may come before the file or after it", async () => {
  for (const parts of [
    [purpose, file("{}\n"), end],
    [file("{}\n"), purpose, end],
  ]) {
    const { bytes, purpose: answered } = await accepted(...parts);
    assert.deepEqual([bytes, answered], [3, "fine-tune"]);
  }
});

test("a wrong purpose leaves nothing, whether it comes before the file or after it", async () => {
  await refused([field("purpose", "zzz"), file("{}\n"), end], 400, "purpose");
  await refused([file("{}\n"), field("purpose", "zzz"), end], 400, "purpose");
  await refused([file("{}\n"), end], 400, "purpose");
});

test("one file, with bytes in it, named `file`", async () => {
  await refused([purpose, end], 400, "file");
  await refused([purpose, file(""), end], 400, "file");
  await refused([purpose, file("{}", "a.jsonl", "document"), end], 400, "document");
  await refused([purpose, file("{}"), file("{}"), end], 400, "file");
  await refused([purpose, file("{}"), field("extra", "1"), end], 400, "extra");
});

test("expiry needs its anchor and its seconds, within an hour and thirty days", async () => {
  const anchor = field("expires_after[anchor]", "created_at");
  const seconds = (value: string) => field("expires_after[seconds]", value);
  for (const value of ["3600", "2592000"]) {
    const created = await accepted(purpose, anchor, seconds(value), file("{}"), end);
    assert.equal(created.expires_at, created.created_at + Number(value));
    const record = await deployment.stores.files.get(deployment.a.project.id, created.id);
    assert.equal(record?.expires_at_ttl, created.expires_at, "DynamoDB deletes the row by this attribute");
  }
  earlier = await remains();
  for (const value of ["3599", "2592001", "x", "", "NaN", "4000.5"]) {
    await refused([purpose, anchor, seconds(value), file("{}"), end], 400, "expires_after[seconds]");
  }
  await refused([purpose, anchor, file("{}"), end], 400, "expires_after");
  await refused([purpose, seconds("3600"), file("{}"), end], 400, "expires_after");
  await refused([purpose, field("expires_after[anchor]", "now"), seconds("3600"), end], 400, "expires_after[anchor]");
});

test("an expired file is gone, from lists as well", async () => {
  const { id } = await accepted(purpose, file("{}"), end);
  const record = (await deployment.stores.files.get(deployment.a.project.id, id))!;
  const past = { ...record, expires_at: Math.floor(Date.now() / 1000) - 1 };
  await deployment.stores.files.delete(deployment.a.project.id, id);
  await deployment.stores.files.create(past);
  for (const path of [`/v1/files/${id}`, `/v1/files/${id}/content`]) {
    assert.equal((await deployment.fetch(path)).status, 404);
  }
  const ids: string[] = [];
  for await (const each of deployment.client().files.list({ limit: 1 })) ids.push(each.id);
  assert.ok(ids.length > 0 && !ids.includes(id));
});

test("a file of exactly the limit is stored, and one byte more is 413 and leaves nothing", async () => {
  const content = "x".repeat(maxUploadBytes);
  assert.equal((await accepted(purpose, file(content), end)).bytes, maxUploadBytes);
  earlier = await remains();
  await refused([purpose, file(`${content}x`), end], 413, "file");
  await refused([file(`${content}x`), purpose, end], 413, "file");
});

test("a client that sends all before it reads learns that its upload was too large", async () => {
  const socket = connect(Number(new URL(deployment.origin).port), "127.0.0.1").pause();
  const body = Readable.fromWeb(streamed(6.5 * maxUploadBytes) as never);
  const head = ["POST /v1/files HTTP/1.1", "host: x", `authorization: Bearer ${deployment.keys.a}`];
  socket.write([...head, `content-type: ${multipartType}`, "transfer-encoding: chunked", "\r\n"].join("\r\n"));
  for await (const chunk of body) {
    const framed = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]);
    if (!socket.write(framed)) await once(socket, "drain");
  }
  socket.write("0\r\n\r\n");
  const [answer] = await once(socket.resume(), "data");
  socket.destroy();
  assert.match(String(answer), /^HTTP\/1.1 413 /);
  await nothingRemains();
});

test("a body that breaks off or is no multipart leaves nothing", async () => {
  for (const body of [
    "",
    "--edge",
    fileHead(),
    `${purpose}${fileHead()}cut`,
    `${purpose}${file("{}")}`,
    end,
    "\0\xff",
  ]) {
    const response = await post(body);
    assert.equal(response.status, 400, body);
    await nothingRemains();
  }
});

test("a client that goes away during an upload leaves nothing", async () => {
  for (const bytes of [100_000, 12 * 1024 * 1024]) {
    const upload = request(`${deployment.baseURL}/files`, {
      method: "POST",
      headers: { authorization: `Bearer ${deployment.keys.a}`, "content-type": multipartType },
    });
    upload.on("error", () => {});
    upload.write(purpose + fileHead());
    const written = upload.write("x".repeat(bytes));
    if (!written) await once(upload, "drain");
    const answered = deployment.observed.length;
    upload.destroy();
    while (deployment.observed.length === answered) await new Promise((resolve) => setImmediate(resolve));
    await nothingRemains();
  }
  assert.deepEqual(
    deployment.observed.filter(({ type }) => type === "failed"),
    [],
  );
});

test("a filename of any script survives; what steers headers, paths or terminals does not", async () => {
  const cases = [
    ["Größe 表 🦀.jsonl", "Größe 表 🦀.jsonl"],
    ["../../etc/passwd", "passwd"],
    ["C:\\\\dir\\\\a.csv", "a.csv"],
    ["a\u001b[31m\u202egnp.exe", "a[31mgnp.exe"],
    ["..", "file"],
    ["'; filename=x.html", "'; filename=x.html"],
    ["x".repeat(2000), "x".repeat(255)],
  ] as const;
  for (const [sent, stored] of cases) {
    const { id, filename } = await accepted(purpose, file("{}", sent), end);
    assert.equal(filename, stored);
    const disposition = (await deployment.fetch(`/v1/files/${id}/content`)).headers.get("content-disposition")!;
    const encoded = /filename\*=UTF-8''(\S+)$/.exec(disposition)![1]!;
    assert.equal(decodeURIComponent(encoded), stored);
    assert.match(disposition, /^attachment; filename="[^"]*"; /);
  }
});

test("content is the very bytes, told by length, and harmless to a browser", async () => {
  const bytes = new Uint8Array(Array.from({ length: 256 }, (_, i) => i));
  const body = Buffer.concat([Buffer.from(purpose + fileHead("a.html")), bytes, Buffer.from(`\r\n${end}`)]);
  const { id } = (await (await post(new Uint8Array(body))).json()) as File;
  const response = await deployment.fetch(`/v1/files/${id}/content`);
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
  assert.equal(response.headers.get("content-length"), "256");
  assert.equal(response.headers.get("content-type"), "application/octet-stream");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
});

test("deleting a file removes row and object, and once is enough", async () => {
  const earlier = await remains();
  const { id } = await accepted(purpose, file("{}"), end);
  const remove = () => deployment.fetch(`/v1/files/${id}`, { method: "DELETE" });
  assert.deepEqual([(await remove()).status, (await remove()).status], [200, 404]);
  assert.deepEqual(await remains(), earlier);
});

test("an `after` that no longer exists is a position; one that is no id is refused", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await accepted(purpose, file("{}"), end)).id);
  await deployment.fetch(`/v1/files/${ids[1]}`, { method: "DELETE" });
  const page = (await (await deployment.fetch(`/v1/files?after=${ids[1]}&limit=1`)).json()) as { data: File[] };
  assert.equal(page.data[0]?.id, ids[0]);
  assert.equal((await deployment.fetch("/v1/files?after=ftjob-x")).status, 400);
});
