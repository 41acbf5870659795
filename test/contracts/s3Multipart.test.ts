/** What Millrace relies on in S3's multipart uploads. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { openBucket, rejectsWith } from "./bucket.ts";
import { openCloud } from "./cloud.ts";

await openCloud();
const s3 = new S3Client({});
const bucket = await openBucket(s3);
const Bucket = bucket.name;
const fiveMebibytes = 5 * 1024 ** 2;

async function begin(Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return { Bucket, Key, UploadId };
}

type Target = Awaited<ReturnType<typeof begin>>;

async function uploadParts(target: Target, bodies: (Buffer | string)[]) {
  return Promise.all(
    bodies.map(async (Body, index) => {
      const PartNumber = index + 1;
      const { ETag } = await s3.send(new UploadPartCommand({ ...target, PartNumber, Body }));
      return { ETag, PartNumber };
    }),
  );
}

function complete(target: Target, Parts: { ETag?: string; PartNumber: number }[]) {
  return s3.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } }));
}

describe("multipart uploads", () => {
  it("become one object with the headers of their creation", async () => {
    const bodies = [randomBytes(fiveMebibytes), randomBytes(1000)];
    const target = await begin("two-parts", { ContentType: "application/x-foo", Metadata: { a: "b" } });
    const { ETag } = await complete(target, await uploadParts(target, bodies));
    const { output, body } = await bucket.get("two-parts");
    assert.ok(Buffer.concat(bodies).equals(body));
    assert.equal(output.ContentType, "application/x-foo");
    assert.deepEqual(output.Metadata, { a: "b" });
    assert.match(ETag ?? "", /^"[0-9a-f]{32}-2"$/);
    assert.equal(output.ETag, ETag);
  });

  it("answer ranges that cross from one part into the next", async () => {
    const bodies = [Buffer.alloc(fiveMebibytes, "a"), Buffer.from("bbbb")];
    const target = await begin("crossing");
    await complete(target, await uploadParts(target, bodies));
    const Range = `bytes=${fiveMebibytes - 2}-${fiveMebibytes + 1}`;
    assert.equal((await bucket.get("crossing", { Range })).body.toString(), "aabb");
  });

  it("list their parts", async () => {
    const target = await begin("listed-parts");
    const [part] = await uploadParts(target, ["x"]);
    const { Parts } = await s3.send(new ListPartsCommand(target));
    assert.deepEqual(
      Parts?.map(({ ETag, PartNumber, Size }) => ({ ETag, PartNumber, Size })),
      [{ ...part, Size: 1 }],
    );
  });

  it("are listed until they end", async () => {
    const target = await begin("unfinished");
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    assert.ok(Uploads.some(({ Key, UploadId }) => Key === "unfinished" && UploadId === target.UploadId));
  });

  it("are gone once aborted", async () => {
    const target = await begin("aborted");
    const parts = await uploadParts(target, ["x"]);
    await s3.send(new AbortMultipartUploadCommand(target));
    await rejectsWith(complete(target, parts), 404, "NoSuchUpload");
    await rejectsWith(bucket.get("aborted"), 404, "NoSuchKey");
  });

  it("refuse a part that is too small and not the last", async () => {
    const target = await begin("too-small");
    await rejectsWith(complete(target, await uploadParts(target, ["x", "y"])), 400, "EntityTooSmall");
  });

  it("refuse a part with another ETag", async () => {
    const target = await begin("wrong-part");
    await uploadParts(target, ["x"]);
    const ETag = '"deadbeefdeadbeefdeadbeefdeadbeef"';
    await rejectsWith(complete(target, [{ PartNumber: 1, ETag }]), 400, "InvalidPart");
  });
});

describe("lib-storage", () => {
  it("streams 40 MB of unknown length", async () => {
    const sent = createHash("sha256");
    function* generate() {
      for (let megabyte = 0; megabyte < 40; megabyte++) {
        const bytes = randomBytes(1_000_000);
        sent.update(bytes);
        yield bytes;
      }
    }
    const params = { Bucket, Key: "streamed", Body: Readable.from(generate()) };
    await new Upload({ client: s3, params, partSize: 8 * 1024 ** 2 }).done();
    const received = createHash("sha256").update((await bucket.get("streamed")).body);
    assert.equal(received.digest("hex"), sent.digest("hex"));
  });

  it("honours If-None-Match when it completes", async () => {
    await bucket.put("taken", "first");
    const Body = Readable.from([Buffer.alloc(6_000_000), Buffer.alloc(6_000_000)]);
    const upload = new Upload({ client: s3, params: { Bucket, Key: "taken", Body, IfNoneMatch: "*" } });
    await rejectsWith(upload.done(), 412, "PreconditionFailed");
    assert.equal((await bucket.get("taken")).body.toString(), "first");
  });
});
