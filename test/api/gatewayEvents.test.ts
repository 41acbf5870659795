/** Requests as gateways send them, recorded from AWS's own documentation, and answers as they take them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GatewayEvent, requestReader, toAnswer } from "../../api/gatewayEvents.ts";
import { newRouter } from "../../api/router.ts";
import { restEvent } from "../support/gateway.ts";

const app = newRouter();
for (const path of ["/v1/files", "/healthz"]) app.get(path, (c) => c.text("ok"));
const { signal } = new AbortController();
const read = (event: GatewayEvent) => requestReader(app)(event, signal);

/** Of a function URL, format 2.0. */
const urlEvent = (changes: Partial<GatewayEvent> = {}): GatewayEvent =>
  ({
    version: "2.0",
    routeKey: "$default",
    rawPath: "/v1/files",
    rawQueryString: "after=a%2Bb&limit=2&limit=3",
    cookies: ["cookie1", "cookie2"],
    headers: {
      "content-type": "application/json",
      "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
      authorization: "Bearer sk-1",
      host: "abcde12345.lambda-url.eu-central-1.on.aws",
    },
    queryStringParameters: { after: "a+b", limit: "2,3" },
    requestContext: {
      accountId: "anonymous",
      apiId: "abcde12345",
      domainName: "abcde12345.lambda-url.eu-central-1.on.aws",
      domainPrefix: "abcde12345",
      http: { method: "POST", path: "/v1/files", protocol: "HTTP/1.1", sourceIp: "203.0.113.7", userAgent: "curl" },
      requestId: "id",
      routeKey: "$default",
      stage: "$default",
      time: "12/Mar/2020:19:03:58 +0000",
      timeEpoch: 1583348638390,
    },
    body: '{"name":"é"}',
    isBase64Encoded: false,
    ...changes,
  }) as GatewayEvent;

test("a function URL's event: its query as it came, its body as text", async () => {
  const request = read(urlEvent());
  assert.deepEqual([request.method, new URL(request.url).pathname], ["POST", "/v1/files"]);
  assert.deepEqual(
    [...new URL(request.url).searchParams],
    [
      ["after", "a+b"],
      ["limit", "2"],
      ["limit", "3"],
    ],
  );
  assert.equal(request.headers.get("authorization"), "Bearer sk-1");
  assert.deepEqual(await request.json(), { name: "é" });
  assert.equal(request.headers.get("content-length"), "13", "of bytes, not of letters");
});

test("bytes in base 64 arrive as they were sent, a byte that is no text among them", async () => {
  const bytes = Buffer.from([0, 255, 128, 13, 10, 0xc3]);
  for (const event of [
    restEvent({ method: "POST", path: "/v1/files", body: bytes }),
    urlEvent({ body: bytes.toString("base64"), isBase64Encoded: true }),
  ]) {
    const request = read(event);
    assert.equal(request.headers.get("content-length"), "6");
    assert.deepEqual(Buffer.from(await request.arrayBuffer()), bytes);
  }
});

test("a REST API's body may be text, too, and a request without one has none", async () => {
  const event = { ...restEvent({ method: "POST", path: "/v1/files" }), body: '{"a":"ü"}', isBase64Encoded: false };
  assert.deepEqual(await read(event).json(), { a: "ü" });
  assert.equal(read(restEvent({ method: "DELETE", path: "/v1/files" })).body, null);
  assert.equal(read({ ...event, httpMethod: "GET" }).body, null, "nor has one whose method allows none");
});

test("headers keep all their values, and bytes that are no ASCII", () => {
  const headers = { "X-Many": ["one", "two"], "X-Name": ["Zoë"] };
  const request = read(restEvent({ path: "/v1/files", headers }));
  assert.equal(request.headers.get("x-many"), "one, two");
  assert.equal(Buffer.from(request.headers.get("x-name")!, "latin1").toString("utf8"), "Zoë");
  const { multiValueHeaders: _, ...single } = restEvent({ path: "/v1/files", headers });
  assert.equal(read(single).headers.get("x-many"), "two", "where the event has no more");
});

test("a request that its client breaks off is broken off here", () => {
  const gone = new AbortController();
  const request = requestReader(app)(urlEvent(), gone.signal);
  gone.abort();
  assert.equal(request.signal.aborted, true);
});

test("what is no request is refused, whatever is missing", () => {
  const { httpMethod: _, ...methodless } = restEvent({ path: "/v1/files" });
  for (const event of [{}, methodless, urlEvent({ rawPath: "" }), urlEvent({ rawPath: "v1" })]) {
    assert.throws(() => read(event as GatewayEvent), { code: "invalid_value" });
  }
});

test("answers: text as it is, all else in base 64, nothing as nothing", async () => {
  const answer = (body: ConstructorParameters<typeof Response>[0], type: string, status = 200) =>
    toAnswer(new Response(body, { status, headers: { "content-type": type } }));
  for (const type of ["application/json", "text/csv; charset=utf-8", "application/problem+json", "text/javascript"]) {
    const { body, isBase64Encoded } = await answer("é", type);
    assert.deepEqual([body, isBase64Encoded], ["é", false], type);
  }
  const { body, isBase64Encoded } = await answer(Buffer.from([0, 255]), "application/octet-stream");
  assert.deepEqual([Buffer.from(body, "base64"), isBase64Encoded], [Buffer.from([0, 255]), true]);
  const nothing = await answer(null, "application/octet-stream", 204);
  assert.deepEqual([nothing.statusCode, nothing.body, nothing.isBase64Encoded], [204, "", false]);
});
