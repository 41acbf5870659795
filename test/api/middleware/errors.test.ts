/** Whatever goes wrong leaves in the wrapper: the cause is for the log, and the key is for nobody. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { DynamoDBClient, ListTablesCommand, ThrottlingException } from "@aws-sdk/client-dynamodb";
import { pino } from "pino";
import { toApiError } from "../../../api/middleware/errors.ts";
import { logRequests } from "../../../api/requestEvents.ts";
import { ErrorResponse } from "../../../shared/schemas/error.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";

let deployment: Deployment;
before(async () => {
  const classify = async () => {
    throw new Error("secret detail of the inside");
  };
  deployment = await deploy({ host: { ...fakeHost(), classify } });
});
after(() => deployment.close());

async function causeInternalError(): Promise<Response> {
  const { id: model } = await addModel(deployment.stores, deployment.a);
  const body = JSON.stringify({ model, input: "x", questions: [{ type: "predicate", instructions: "ham" }] });
  return deployment.fetch("/v1/decisions", { method: "POST", body, headers: { "content-type": "application/json" } });
}

test("an unexpected error is a 500 that tells nothing, and its cause is observed under its request id", async () => {
  const response = await causeInternalError();
  const text = await response.text();
  assert.equal(response.status, 500);
  assert.doesNotMatch(text, /secret|\.ts|Error:/);
  assert.deepEqual(ErrorResponse.parse(JSON.parse(text)).error.code, "internal_error");
  const failed = deployment.observed.find((event) => event.type === "failed");
  assert.match(String(failed?.cause), /secret detail/);
  assert.equal(failed?.request_id, response.headers.get("x-request-id"));
});

test("a table that cannot be reached, or has too much to do, is a 503 that says to try again, with its cause in the log", async () => {
  const dead = new DynamoDBClient({ endpoint: "http://127.0.0.1:9", maxAttempts: 1 });
  const refused = await dead.send(new ListTablesCommand({})).catch((error: unknown) => error);
  const throttled = new ThrottlingException({ message: "slow down", $metadata: {} });
  const ours = new Error("a mistake of ours");
  assert.deepEqual(
    [refused, throttled, ours].map((error) => toApiError(error).status),
    [503, 503, 500],
  );
  const { code, retryAfter, cause } = toApiError(refused);
  assert.deepEqual([code, retryAfter, cause], ["overloaded", 1, refused]);
});

test("unknown paths are 404 in the wrapper, below and beside /v1", async () => {
  for (const path of ["/v1/nope", "/nope", "/", "/v1", "/v1/files/a/b/c", "//", "/v1/files/"]) {
    const response = await deployment.fetch(path);
    assert.equal(response.status, 404, path);
    assert.equal(ErrorResponse.parse(await response.json()).error.code, "unknown_url");
    assert.match(response.headers.get("x-request-id")!, /^req_/);
  }
});

test("every answer says its version, its time and, with a key, its organization", async () => {
  const response = await deployment.fetch("/v1/models");
  assert.equal(response.headers.get("openai-version"), "2020-10-01");
  assert.match(response.headers.get("openai-processing-ms")!, /^\d+$/);
  assert.equal(response.headers.get("openai-organization"), deployment.a.project.organization_id);
});

test("a log line holds neither key, nor header, nor body", async () => {
  const lines: string[] = [];
  const observe = logRequests(pino({ level: "trace" }, { write: (line: string) => lines.push(line) }));
  await causeInternalError();
  await deployment.fetch(`/v1/files?after=${deployment.keys.a}`);
  for (const event of deployment.observed) observe(event);
  assert.ok(lines.length > 0 && lines.some((line) => line.includes("secret detail")));
  for (const line of lines) assert.ok(!line.includes(deployment.keys.a) && !/bearer/i.test(line), line);
});

const raw = (request: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(deployment.origin).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
    socket.write(request);
  });

test("what is no HTTP, or never reaches the app, is answered in the same form", async () => {
  const requests = [
    "NONSENSE\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
    "GET \\\\ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(40_000)}\r\n\r\n`,
  ];
  for (const request of requests) {
    const [head, body] = (await raw(request)).split("\r\n\r\n");
    assert.match(head!, /^HTTP\/1\.1 4\d\d/, request.slice(0, 40));
    assert.match(head!, /x-request-id: req_/i);
    ErrorResponse.parse(JSON.parse(body!));
  }
});
