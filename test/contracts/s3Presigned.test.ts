/** What Millrace relies on in presigned URLs, browser forms and cross-origin rules. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GetObjectCommand, PutBucketCorsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { openBucket } from "./bucket.ts";
import { eventually, onAws, openCloud } from "./cloud.ts";

await openCloud();
const s3 = new S3Client({});
const bucket = await openBucket(s3);
const Bucket = bucket.name;

/** By default the SDK signs the checksum of the body it does not have, the empty one, into every presigned PUT. */
const presigning = new S3Client({ requestChecksumCalculation: "WHEN_REQUIRED" });

async function signedPut(client: S3Client, Key: string): Promise<string> {
  return getSignedUrl(client, new PutObjectCommand({ Bucket, Key, ContentType: "text/csv" }), { expiresIn: 60 });
}

async function upload(url: string, body: string): Promise<number> {
  const response = await fetch(url, { method: "PUT", body, headers: { "content-type": "text/csv" } });
  await response.text();
  return response.status;
}

describe("presigned URLs", () => {
  it("PUT stores what is sent", async () => {
    assert.equal(await upload(await signedPut(presigning, "put"), "a,b"), 200);
    const { output, body } = await bucket.get("put");
    assert.equal(body.toString(), "a,b");
    assert.equal(output.ContentType, "text/csv");
  });

  it("PUT is refused when the client's default checksum, of an empty body, is signed into the URL", async () => {
    assert.equal(await upload(await signedPut(s3, "trap"), "a,b"), 400);
  });

  it("GET takes a range and replaces response headers", async () => {
    await bucket.put("download", "a,b");
    const command = new GetObjectCommand({
      Bucket,
      Key: "download",
      ResponseContentDisposition: 'attachment; filename="dl.csv"',
    });
    const response = await fetch(await getSignedUrl(s3, command, { expiresIn: 60 }), {
      headers: { range: "bytes=0-0" },
    });
    assert.equal(await response.text(), "a");
    assert.equal(response.status, 206);
    assert.equal(response.headers.get("content-disposition"), 'attachment; filename="dl.csv"');
  });

  it("GET is 403 once expired", async () => {
    await bucket.put("expired", "x");
    const hourAgo = new Date(Date.now() - 3_600_000);
    const command = new GetObjectCommand({ Bucket, Key: "expired" });
    const response = await fetch(await getSignedUrl(s3, command, { expiresIn: 1, signingDate: hourAgo }));
    assert.match(await response.text(), /<Code>AccessDenied</);
    assert.equal(response.status, 403);
  });

  it("GET is 403 with a tampered signature", async () => {
    await bucket.put("tampered", "x");
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "tampered" }), { expiresIn: 60 });
    const response = await fetch(url.replace(/X-Amz-Signature=..../, "X-Amz-Signature=0000"));
    assert.match(await response.text(), /<Code>SignatureDoesNotMatch</);
    assert.equal(response.status, 403);
  });

  it("GET is 403 for another key than the signed one", async () => {
    await bucket.put("other", "secret");
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "signed" }), { expiresIn: 60 });
    const response = await fetch(url.replace("/signed?", "/other?"));
    await response.text();
    assert.equal(response.status, 403);
  });

  it("are needed: an unsigned GET is 403", async () => {
    await bucket.put("private", "secret");
    const url = new URL(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "private" }), { expiresIn: 60 }));
    const response = await fetch(`${url.origin}${url.pathname}`);
    await response.text();
    assert.equal(response.status, 403);
  });
});

describe("presigned forms", () => {
  async function post(options: Partial<PresignedPostOptions>, content: string, extra: Record<string, string> = {}) {
    const { url, fields } = await createPresignedPost(s3, { Bucket, Key: "form", Expires: 60, ...options });
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...extra })) form.append(name, value);
    form.append("file", new Blob([content]), "f.txt");
    const response = await fetch(url, { method: "POST", body: form });
    return { status: response.status, text: await response.text() };
  }

  it("store the file under its own name", async () => {
    const conditions: PresignedPostOptions["Conditions"] = [["content-length-range", 0, 100]];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3 itself puts the file's name there.
    const { status, text } = await post({ Key: "form/${filename}", Conditions: conditions }, "posted");
    assert.equal(status, 204, text);
    assert.equal((await bucket.get("form/f.txt")).body.toString(), "posted");
  });

  it("refuse a file longer than the policy allows", async () => {
    const { status, text } = await post({ Conditions: [["content-length-range", 0, 3]] }, "too long");
    assert.equal(status, 400);
    assert.match(text, /<Code>EntityTooLarge</);
  });

  it("refuse another key than the policy's", async () => {
    const { status, text } = await post({}, "x", { key: "elsewhere" });
    assert.equal(status, 403);
    assert.match(text, /<Code>AccessDenied</);
  });

  it("refuse a field that the policy does not mention", async () => {
    const { status } = await post({}, "x", { "x-amz-meta-extra": "1" });
    assert.equal(status, 403);
  });
});

describe("cross-origin rules", () => {
  const preflight = async (origin: string) => {
    const { origin: endpoint, pathname } = new URL(await signedPut(presigning, "cors"));
    const headers = { origin, "access-control-request-method": "PUT" };
    const response = await fetch(`${endpoint}${pathname}`, { method: "OPTIONS", headers });
    await response.text();
    return { status: response.status, allowed: response.headers.get("access-control-allow-origin") };
  };

  it("let a preflight through for the origins and methods they name, and nobody else", async () => {
    assert.deepEqual(await preflight("https://console.example"), { status: 403, allowed: null });
    const CORSRules = [{ AllowedMethods: ["PUT"], AllowedOrigins: ["https://*.example"], ExposeHeaders: ["ETag"] }];
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    const allowed = { status: 200, allowed: "https://console.example" };
    await eventually(async () => assert.deepEqual(await preflight("https://console.example"), allowed));
    assert.deepEqual(await preflight("https://evil.test"), { status: 403, allowed: null });
  });

  it("are answered on the upload itself", { skip: onAws && "covered by the preflight" }, async () => {
    const response = await fetch(await signedPut(presigning, "cors"), {
      method: "PUT",
      body: "x",
      headers: { origin: "https://console.example", "content-type": "text/csv" },
    });
    assert.equal(response.status, 200, await response.text());
    assert.equal(response.headers.get("access-control-expose-headers"), "ETag");
  });
});
