/** What Millrace relies on in S3: buckets, objects, checksums, ranges and conditional requests. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import {
  GetBucketLocationCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { openBucket, rejectsWith } from "./bucket.ts";
import { openCloud, uniqueName } from "./cloud.ts";

await openCloud();
const s3 = new S3Client({});
const bucket = await openBucket(s3);

describe("buckets", () => {
  it("are found once created", async () => {
    const { $metadata } = await s3.send(new HeadBucketCommand({ Bucket: bucket.name }));
    assert.equal($metadata.httpStatusCode, 200);
  });

  it("are 404 when missing", async () => {
    await rejectsWith(s3.send(new HeadBucketCommand({ Bucket: uniqueName("missing") })), 404, "NotFound");
  });

  it("are listed", async () => {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    assert.ok(Buckets.some(({ Name }) => Name === bucket.name));
  });

  it("have no location constraint in us-east-1", async () => {
    const { LocationConstraint } = await s3.send(new GetBucketLocationCommand({ Bucket: bucket.name }));
    assert.ok(LocationConstraint === undefined || String(LocationConstraint) === process.env.AWS_REGION);
  });
});

describe("objects", () => {
  it("come with an ETag and a CRC32 when put as a string", async () => {
    const { ETag, ChecksumCRC32 } = await bucket.put("string", "hello world");
    assert.equal(ETag, '"5eb63bbbe01eeed093cb22bb8f5acdc3"');
    assert.equal(ChecksumCRC32, "DUoRhQ==");
  });

  it("keep metadata and headers", async () => {
    await bucket.put("headers", "hello world", {
      ContentType: "text/plain",
      CacheControl: "max-age=60",
      ContentDisposition: 'attachment; filename="x.txt"',
      ContentEncoding: "identity",
      Metadata: { foo: "bar" },
    });
    const { output, body } = await bucket.get("headers");
    assert.equal(body.toString(), "hello world");
    assert.deepEqual(output.Metadata, { foo: "bar" });
    assert.equal(output.ContentType, "text/plain");
    assert.equal(output.CacheControl, "max-age=60");
    assert.equal(output.ContentDisposition, 'attachment; filename="x.txt"');
    assert.equal(output.ContentEncoding, "identity");
    assert.equal(output.ContentLength, 11);
  });

  it("may be empty", async () => {
    await bucket.put("empty", "");
    assert.equal((await bucket.get("empty")).body.length, 0);
  });

  it("return 5 MB unchanged", async () => {
    const bytes = randomBytes(5_000_000);
    await bucket.put("buffer", bytes);
    assert.ok(bytes.equals((await bucket.get("buffer")).body));
  });

  it("return a streamed body unchanged, without its chunked framing", async () => {
    const bytes = randomBytes(3_000_000);
    const stream = Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]);
    await bucket.put("stream", stream, { ContentLength: bytes.length });
    const { output, body } = await bucket.get("stream");
    assert.ok(bytes.equals(body));
    assert.equal(output.ContentEncoding, undefined);
  });

  it("answer NoSuchKey to GET and NotFound to HEAD when missing", async () => {
    await rejectsWith(bucket.get("missing"), 404, "NoSuchKey");
    await rejectsWith(s3.send(new HeadObjectCommand({ Bucket: bucket.name, Key: "missing" })), 404, "NotFound");
  });

  it("take keys with dots, slashes, blanks and other scripts as they are", async () => {
    const key = "a/../b//c d+é✓&<>'\".txt";
    await bucket.put(key, "odd");
    assert.equal((await bucket.get(key)).body.toString(), "odd");
    await rejectsWith(bucket.get("b/c d+é✓&<>'\".txt"), 404, "NoSuchKey");
  });

  it("accept S3's own encryption", async () => {
    const { ServerSideEncryption } = await bucket.put("encrypted", "x", { ServerSideEncryption: "AES256" });
    assert.ok(ServerSideEncryption === undefined || ServerSideEncryption === "AES256");
    assert.equal((await bucket.get("encrypted")).output.ServerSideEncryption, "AES256");
  });
});

describe("checksums", () => {
  it("refuse a body that does not match", async () => {
    await rejectsWith(bucket.put("bad-checksum", "hello", { ChecksumCRC32: "AAAAAA==" }), 400);
    await rejectsWith(bucket.get("bad-checksum"), 404, "NoSuchKey");
  });

  it("are kept and returned on HEAD", async () => {
    await bucket.put("sha256", "hello", { ChecksumAlgorithm: "SHA256" });
    const head = new HeadObjectCommand({ Bucket: bucket.name, Key: "sha256", ChecksumMode: "ENABLED" });
    const { ChecksumSHA256 } = await s3.send(head);
    assert.equal(ChecksumSHA256, createHash("sha256").update("hello").digest("base64"));
  });
});

describe("ranges", () => {
  const cases = { "bytes=0-4": "hello", "bytes=-5": "world", "bytes=6-": "world", "bytes=6-100": "world" };
  for (const [range, expected] of Object.entries(cases)) {
    it(`${range} returns that part of the object`, async () => {
      await bucket.put("range", "hello world");
      const { output, body } = await bucket.get("range", { Range: range });
      assert.equal(body.toString(), expected);
      assert.equal(output.$metadata.httpStatusCode, 206);
      assert.equal(output.ContentRange, expected === "hello" ? "bytes 0-4/11" : "bytes 6-10/11");
    });
  }

  it("beyond the end are 416", async () => {
    await bucket.put("short", "hello");
    await rejectsWith(bucket.get("short", { Range: "bytes=100-200" }), 416);
  });
});

describe("conditional requests", () => {
  it("If-None-Match: * writes a new object", async () => {
    await bucket.put("created-once", "x", { IfNoneMatch: "*" });
    assert.equal((await bucket.get("created-once")).body.toString(), "x");
  });

  it("If-None-Match: * refuses to replace one", async () => {
    await bucket.put("kept", "first");
    await rejectsWith(bucket.put("kept", "second", { IfNoneMatch: "*" }), 412, "PreconditionFailed");
    assert.equal((await bucket.get("kept")).body.toString(), "first");
  });

  it("If-None-Match: * lets exactly one of 20 racers win", async () => {
    const racers = Array.from({ length: 20 }, (_, racer) => bucket.put("race", `${racer}`, { IfNoneMatch: "*" }));
    const results = await Promise.allSettled(racers);
    const winners = results.flatMap(({ status }, racer) => (status === "fulfilled" ? [racer] : []));
    assert.equal(winners.length, 1);
    assert.equal((await bucket.get("race")).body.toString(), String(winners[0]));
  });

  it("If-Match writes over the version that was read", async () => {
    const { ETag } = await bucket.put("versioned", "first");
    await bucket.put("versioned", "second", { IfMatch: ETag });
    assert.equal((await bucket.get("versioned")).body.toString(), "second");
  });

  it("If-Match refuses to write over another version", async () => {
    await bucket.put("changed", "first");
    const wrong = '"deadbeefdeadbeefdeadbeefdeadbeef"';
    await rejectsWith(bucket.put("changed", "second", { IfMatch: wrong }), 412, "PreconditionFailed");
  });

  it("GET If-None-Match is 304 for the same ETag", async () => {
    const { ETag } = await bucket.put("cached", "hello");
    await rejectsWith(bucket.get("cached", { IfNoneMatch: ETag }), 304);
  });
});
