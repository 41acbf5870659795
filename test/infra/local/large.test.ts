/** 300 MB pass through the S3 server in bounded memory, in both directions. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { clientsOf, startProcess, temporaryHome } from "./clouds.ts";

const megabytes = 300;
const Bucket = "large-bucket";
const block = Buffer.alloc(1_000_000, "millrace");

function source(): Readable {
  return Readable.from(Array.from({ length: megabytes }, () => block));
}

const digest = createHash("md5");
for (let n = 0; n < megabytes; n++) digest.update(block);
const expected = digest.digest("hex");

/** The highest resident memory that the process ever had, in megabytes. */
function peakMemory(pid: number): number {
  const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) / 1000;
}

describe("300 MB", { skip: process.platform !== "linux" && "memory is read from /proc" }, () => {
  it("go up in parts and in one piece, and come down, in less than 250 MB of memory", async (t) => {
    const cloud = await startProcess(await temporaryHome());
    const { s3 } = clientsOf(cloud);
    await s3.send(new CreateBucketCommand({ Bucket }));

    const params = { Bucket, Key: "parts", Body: source() };
    await new Upload({ client: s3, params, partSize: 16 * 1024 ** 2 }).done();
    t.diagnostic(`peak after the multipart upload: ${peakMemory(cloud.pid).toFixed(0)} MB`);
    const { ETag } = await s3.send(
      new PutObjectCommand({ Bucket, Key: "piece", Body: source(), ContentLength: megabytes * block.length }),
    );
    assert.equal(ETag, `"${expected}"`);

    const received = createHash("md5");
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "parts" }));
    for await (const chunk of Body as Readable) received.update(chunk);
    assert.equal(received.digest("hex"), expected);

    const Range = "bytes=100000000-100000007";
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: "parts", Range }));
    assert.equal(await part.Body?.transformToString(), "millrace");

    t.diagnostic(`peak: ${peakMemory(cloud.pid).toFixed(0)} MB`);
    assert.ok(peakMemory(cloud.pid) < 250);
    assert.equal(await cloud.kill("SIGTERM"), 0);
    assert.equal(cloud.complaints(), "");
  });
});
