/** What is particular to the local S3 server: what it refuses, and what it leaves on disk. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, describe, it } from "node:test";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketAclCommand,
  GetObjectCommand,
  ListObjectsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { startLocalCloud } from "../../../infra/local/cloud.ts";
import { eventually } from "../../contracts/cloud.ts";
import { clientsOf, temporaryHome } from "./clouds.ts";

const home = await temporaryHome();
let cloud = await startLocalCloud({ home });
after(() => cloud.close());
let { s3 } = clientsOf(cloud);
const Bucket = "local-bucket";
await s3.send(new CreateBucketCommand({ Bucket }));

async function restart(): Promise<void> {
  await cloud.close();
  cloud = await startLocalCloud({ home });
  ({ s3 } = clientsOf(cloud));
}

function put(Key: string, more: Partial<PutObjectCommandInput> = {}) {
  return s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more }));
}

function blobs(): Promise<string[]> {
  return readdir(join(home, "s3", "blobs"));
}

describe("what is not implemented is refused by name", () => {
  const refused = (call: Promise<unknown>, message: RegExp) =>
    assert.rejects(call, { name: "NotImplemented", message });

  it("as an operation", async () => {
    await refused(s3.send(new GetBucketAclCommand({ Bucket })), /acl/);
    await refused(s3.send(new ListObjectsCommand({ Bucket })), /GET on a bucket/);
  });

  it("as a query parameter", async () => {
    await refused(s3.send(new GetObjectCommand({ Bucket, Key: "k", VersionId: "v" })), /versionId of GetObject/);
  });

  it("as a header", async () => {
    await refused(put("k", { ServerSideEncryption: "aws:kms" }), /x-amz-server-side-encryption: aws:kms/);
    await refused(put("k", { WebsiteRedirectLocation: "/" }), /x-amz-website-redirect-location of PutObject/);
    await refused(put("k", { StorageClass: "GLACIER" }), /x-amz-storage-class: GLACIER/);
  });

  it("as a checksum algorithm", async () => {
    await refused(put("k", { ChecksumCRC64NVME: "AAAAAAAAAAA=" }), /crc64nvme/);
  });
});

describe("signatures", () => {
  it("of another secret or another key are refused", async () => {
    const wrongSecret = { accessKeyId: cloud.environment.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: "wrong" };
    const stranger = { accessKeyId: "stranger", secretAccessKey: "wrong" };
    const attempt = (credentials: typeof stranger) =>
      clientsOf(cloud, { credentials }).s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    await assert.rejects(attempt(wrongSecret), { name: "SignatureDoesNotMatch" });
    await assert.rejects(attempt(stranger), { name: "InvalidAccessKeyId" });
  });
});

describe("blobs", () => {
  it("of an upload that is cut off are removed", async () => {
    const before = await blobs();
    const { hostname, port } = new URL(cloud.endpoints.s3);
    const { s3: presigning } = clientsOf(cloud, { requestChecksumCalculation: "WHEN_REQUIRED" });
    const url = new URL(await getSignedUrl(presigning, new PutObjectCommand({ Bucket, Key: "cut-off" })));
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: 1000000\r\n\r\nhalf`,
    );
    await eventually(async () => assert.equal((await blobs()).length, before.length + 1));
    socket.destroy();
    await eventually(async () => assert.deepEqual(await blobs(), before));
    await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: "cut-off" })), { name: "NoSuchKey" });
  });

  it("of a refused upload are removed at once", async () => {
    const before = await blobs();
    await assert.rejects(put("bad", { ChecksumCRC32: "AAAAAA==" }), { name: "BadDigest" });
    assert.deepEqual(await blobs(), before);
  });

  it("that were replaced or aborted are gone after a restart, and unfinished uploads can go on", async () => {
    await put("replaced");
    await put("replaced", { Body: "new" });
    const abort = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "aborted" }));
    const aborted = { Bucket, Key: "aborted", UploadId: abort.UploadId };
    await s3.send(new UploadPartCommand({ ...aborted, PartNumber: 1, Body: "part" }));
    await s3.send(new AbortMultipartUploadCommand(aborted));
    const keep = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "kept" }));
    const kept = { Bucket, Key: "kept", UploadId: keep.UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...kept, PartNumber: 1, Body: "part" }));
    await writeFile(join(home, "s3", "blobs", "orphan"), "left by a kill");

    await restart();

    assert.equal((await blobs()).length, 2);
    await s3.send(
      new CompleteMultipartUploadCommand({ ...kept, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } }),
    );
    const read = async (Key: string) =>
      (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
    assert.equal(await read("kept"), "part");
    assert.equal(await read("replaced"), "new");
  });

  it("still being downloaded survive their object's replacement", async () => {
    const body = Buffer.alloc(8_000_000, "a");
    await put("downloaded", { Body: body });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "downloaded" }));
    await put("downloaded", { Body: "replacement" });
    assert.ok(body.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0)));
  });

  it("whose download is cut off leave the server running", async () => {
    await put("abandoned", { Body: Buffer.alloc(8_000_000) });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "abandoned" }));
    (Body as Readable).destroy();
    const { ContentLength } = await s3.send(new GetObjectCommand({ Bucket, Key: "abandoned", Range: "bytes=0-0" }));
    assert.equal(ContentLength, 1);
  });
});
