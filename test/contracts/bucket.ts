/** A bucket for one file of S3 contract tests, and the two or three things most of them do with it. */
import assert from "node:assert/strict";
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { atEnd, uniqueName } from "./cloud.ts";

type Read = { output: GetObjectCommandOutput; body: Buffer };

export class TestBucket {
  readonly s3: S3Client;
  readonly name = uniqueName("bucket");

  constructor(s3: S3Client) {
    this.s3 = s3;
  }

  put(key: string, body: PutObjectCommandInput["Body"], more: Partial<PutObjectCommandInput> = {}) {
    return this.s3.send(new PutObjectCommand({ Bucket: this.name, Key: key, Body: body, ...more }));
  }

  async get(key: string, more: Partial<GetObjectCommandInput> = {}): Promise<Read> {
    const output = await this.s3.send(new GetObjectCommand({ Bucket: this.name, Key: key, ...more }));
    return { output, body: Buffer.from((await output.Body?.transformToByteArray()) ?? []) };
  }

  async empty(): Promise<void> {
    const { Uploads = [] } = await this.s3.send(new ListMultipartUploadsCommand({ Bucket: this.name }));
    for (const { Key, UploadId } of Uploads) {
      await this.s3.send(new AbortMultipartUploadCommand({ Bucket: this.name, Key, UploadId }));
    }
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket: this.name }));
    for (const { Key } of Contents) await this.s3.send(new DeleteObjectCommand({ Bucket: this.name, Key }));
  }
}

/** Creates a bucket that is emptied and deleted when the file's tests are through. */
export async function openBucket(s3: S3Client): Promise<TestBucket> {
  const bucket = new TestBucket(s3);
  await s3.send(new CreateBucketCommand({ Bucket: bucket.name }));
  atEnd(async () => {
    await bucket.empty();
    await s3.send(new DeleteBucketCommand({ Bucket: bucket.name }));
    s3.destroy();
  });
  return bucket;
}

/** Asserts that the call fails with this HTTP status and, if given, this error name. */
export async function rejectsWith(call: Promise<unknown>, status: number, name?: string): Promise<void> {
  await assert.rejects(call, (error: { name: string; $metadata?: { httpStatusCode?: number } }) => {
    assert.equal(error.$metadata?.httpStatusCode, status, `${error.name} has the wrong status`);
    if (name) assert.equal(error.name, name);
    return true;
  });
}
