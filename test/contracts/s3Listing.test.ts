/** What Millrace relies on in S3's listing, copying, tagging, deletion and bucket configuration. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectTaggingCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectTaggingCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { openBucket, rejectsWith } from "./bucket.ts";
import { eventually, onAws, openCloud } from "./cloud.ts";

await openCloud();
const s3 = new S3Client({});
const bucket = await openBucket(s3);
const Bucket = bucket.name;

describe("listing", () => {
  const keys = Array.from({ length: 25 }, (_, index) => `pages/${String(index).padStart(3, "0")}/x y+é.txt`);
  before(() => Promise.all(keys.map((key) => bucket.put(key, "x"))));

  it("pages through every key once, in order, unmangled", async () => {
    const listed: (string | undefined)[] = [];
    const pageSizes: number[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: "pages/", MaxKeys: 10, ContinuationToken }),
      );
      pageSizes.push(page.KeyCount ?? 0);
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    assert.deepEqual(listed, keys);
    assert.deepEqual(pageSizes, [10, 10, 5]);
  });

  it("groups keys by a delimiter, also across pages", async () => {
    const command = { Bucket, Prefix: "pages/", Delimiter: "/" };
    const all = await s3.send(new ListObjectsV2Command(command));
    assert.equal(all.CommonPrefixes?.length, 25);
    assert.equal(all.Contents, undefined);
    const first = await s3.send(new ListObjectsV2Command({ ...command, MaxKeys: 24 }));
    const rest = await s3.send(
      new ListObjectsV2Command({ ...command, ContinuationToken: first.NextContinuationToken }),
    );
    assert.deepEqual(rest.CommonPrefixes, [{ Prefix: "pages/024/" }]);
  });

  it("orders keys by their UTF-8 bytes and starts after a key", async () => {
    for (const key of ["order/\u{fffd}", "order/\u{1f600}", "order/a"]) await bucket.put(key, "x");
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "order/", StartAfter: "order/a" }));
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ["order/\u{fffd}", "order/\u{1f600}"],
    );
  });

  it("is empty for a prefix nothing has", async () => {
    const { KeyCount, IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "nothing/" }));
    assert.deepEqual({ KeyCount, IsTruncated }, { KeyCount: 0, IsTruncated: false });
  });
});

describe("copying", () => {
  it("replaces metadata on request", async () => {
    await bucket.put("source", "hello world", { Metadata: { a: "1" } });
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: "copy",
        CopySource: `${Bucket}/source`,
        MetadataDirective: "REPLACE",
        Metadata: { z: "1" },
      }),
    );
    const { output, body } = await bucket.get("copy");
    assert.equal(body.toString(), "hello world");
    assert.deepEqual(output.Metadata, { z: "1" });
  });

  it("keeps metadata otherwise, and takes any key", async () => {
    await bucket.put("odd source/x y+é.txt", "odd", { Metadata: { a: "1" } });
    const CopySource = `${Bucket}/${encodeURIComponent("odd source/x y+é.txt")}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: "odd copy", CopySource }));
    const { output, body } = await bucket.get("odd copy");
    assert.equal(body.toString(), "odd");
    assert.deepEqual(output.Metadata, { a: "1" });
  });

  it("refuses a source that is missing", async () => {
    const copy = new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/missing` });
    await rejectsWith(s3.send(copy), 404, "NoSuchKey");
  });
});

describe("tags", () => {
  const tagsOf = async (Key: string) => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;

  it("come with the object", async () => {
    await bucket.put("tagged", "x", { Tagging: "a=b" });
    assert.deepEqual(await tagsOf("tagged"), [{ Key: "a", Value: "b" }]);
    assert.equal((await bucket.get("tagged")).output.TagCount, 1);
  });

  it("are set later without touching the object", async () => {
    await bucket.put("tagged-later", "hello world");
    const TagSet = [{ Key: "k", Value: "v & w" }];
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: "tagged-later", Tagging: { TagSet } }));
    assert.deepEqual(await tagsOf("tagged-later"), TagSet);
    assert.equal((await bucket.get("tagged-later")).body.toString(), "hello world");
  });
});

describe("deletion", () => {
  it("succeeds whether or not the object is there", async () => {
    await bucket.put("deleted", "x");
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "deleted" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "deleted" }));
    await rejectsWith(bucket.get("deleted"), 404, "NoSuchKey");
  });

  it("takes many keys at once, blanks and markup included", async () => {
    const keys = [" one & <two>", "three"];
    for (const key of keys) await bucket.put(key, "x");
    const Objects = keys.map((Key) => ({ Key }));
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.deepEqual(Deleted?.map(({ Key }) => Key).sort(), [...keys].sort());
    for (const key of keys) await rejectsWith(bucket.get(key), 404, "NoSuchKey");
  });
});

describe("bucket configuration", () => {
  it("keeps lifecycle rules", async () => {
    const Rules = [{ ID: "x", Status: "Enabled" as const, Filter: { Prefix: "tmp/" }, Expiration: { Days: 1 } }];
    const LifecycleConfiguration = { Rules };
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    await eventually(async () => {
      const kept = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      assert.deepEqual(kept.Rules, Rules);
    });
  });

  it("keeps the versioning setting", {
    skip: onAws && "a versioned bucket could not be emptied afterwards",
  }, async () => {
    const VersioningConfiguration = { Status: "Enabled" as const };
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
  });
});
