/** The same app behind API Gateway. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { end, field, file, multipartType } from "../support/multipart.ts";

interface Answer {
  statusCode: number;
  body: string;
  isBase64Encoded: boolean;
  headers: Record<string, string>;
}

let cloud: Cloud;
let tenant: Tenant;
let handler: (event: object) => Promise<Answer>;
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "acme");
  Object.assign(process.env, cloud.environment, { MILLRACE_LOG_LEVEL: "silent" });
  handler = (await import("../../api/lambda.ts")).handler as unknown as typeof handler;
});
after(() => cloud.close());

/** A version 2 event, as API Gateway and function URLs send it. */
const call = (method: string, path: string, body?: Buffer, contentType = "application/json") =>
  handler({
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { authorization: `Bearer ${tenant.key}`, "content-type": contentType, host: "api.example" },
    requestContext: { domainName: "api.example", http: { method, path } },
    body: body?.toString("base64"),
    isBase64Encoded: body !== undefined,
  });

test("uploads, lists and downloads, binary and whole", async () => {
  const form = Buffer.from(field("purpose", "fine-tune") + file("é\n") + end);
  const uploaded = await call("POST", "/v1/files", form, multipartType);
  assert.equal(uploaded.statusCode, 200, uploaded.body);
  const { id } = JSON.parse(uploaded.body) as { id: string };
  const content = await call("GET", `/v1/files/${id}/content`);
  assert.equal(content.isBase64Encoded, true);
  assert.equal(Buffer.from(content.body, "base64").toString(), "é\n");
});

test("errors keep their wrapper and request id", async () => {
  const answer = await call("POST", "/v1/decisions", Buffer.from("{"));
  assert.deepEqual([answer.statusCode, JSON.parse(answer.body).error.code], [400, "invalid_json"]);
  assert.match(answer.headers["x-request-id"]!, /^req_/);
});
