/** What comes in is bounded: in size as it comes, in depth, in time; and what cannot be kept is the client's to mend. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { refused } from "../support/contract.ts";
import { type Deployment, deploy } from "../support/deployment.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ patience: { headers: 1000, body: 1000, upload: 60_000, silence: 2500 } });
});
after(() => deployment.close());

function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  key?: string,
) {
  const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
  return deployment.fetch(path, { ...init, ...(key && { key }) });
}

test("compressed bodies are refused, however much they would inflate to", async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(32 * 1024 * 1024, " ")));
  for (const encoding of ["gzip", "br", "deflate, gzip", "x-unknown"]) {
    const response = await post("/v1/metrics", bomb, { "content-encoding": encoding });
    await refused(response, { status: 415, code: "unsupported_media_type" });
  }
  const form = { "content-type": "multipart/form-data; boundary=x", "content-encoding": "gzip" };
  await refused(await post("/v1/files", bomb, form), { status: 415 });
});

test("bodies nested too deep are refused before anything walks them, and brackets in texts are no nesting", async () => {
  const nested = (depth: number) => `${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`;
  for (const depth of [51, 100_000]) await refused(await post("/v1/metrics", nested(depth)), { code: "invalid_json" });
  await refused(await post("/v1/metrics", nested(20)), { code: "missing_required_parameter" });
  const texts = JSON.stringify({ name: `"\\${"[{".repeat(500)}` });
  await refused(await post("/v1/metrics", texts), { code: "invalid_value" });
});

test("numbers that the table cannot keep are refused, and those beyond 2^53 are kept", async () => {
  const { project, adminKey } = deployment.a;
  const sampled = (rate: string) =>
    post(`/v1/organization/projects/${project.id}`, `{"inference_sampling_rate":${rate}}`, {}, adminKey);
  await refused(await sampled("8e-246"), { code: "invalid_value" });
  assert.equal((await sampled("1e-100")).status, 200);
  const evaluation = (number: string) => {
    const config = `{"type":"custom","item_schema":{"maximum":${number}}}`;
    const check = { type: "string_check", name: "n", input: "a", reference: "a", operation: "eq" };
    return post("/v1/evals", `{"data_source_config":${config},"testing_criteria":[${JSON.stringify(check)}]}`);
  };
  await refused(await evaluation("1e221"), { code: "invalid_value" });
  const kept = await evaluation("4.5e21");
  assert.equal(kept.status, 201);
  assert.match(await kept.text(), /4\.5e\+21/);
});

test("names are not those that every object has", async () => {
  for (const name of ["constructor", "toString", "valueOf"]) {
    const metric = { name, type: "boolean", level: "inference", optimize: "max" };
    await refused(await post("/v1/metrics", JSON.stringify(metric)), { param: "name" });
  }
  for (const labeller of ["__proto__", "constructor"]) {
    await refused(await deployment.fetch(`/v1/label_queue?labeller=${labeller}`), { param: "labeller" });
  }
});

test("objects that pass themselves off as something else are refused, and columns of any name are kept", async () => {
  const check = { type: "string_check", name: "n", input: "a", reference: "a", operation: "eq" };
  const evaluation = (schema: string) => {
    const config = `{"type":"custom","item_schema":{"properties":${schema}}}`;
    return post("/v1/evals", `{"data_source_config":${config},"testing_criteria":[${JSON.stringify(check)}]}`);
  };
  for (const disguise of [
    '{"constructor":{"name":"Set"}}',
    '{"a":{"constructor":{"name":"Map","prototype":{}}}}',
    '{"__proto__":{"polluted":1}}',
    '{"__pr\\u006fto__":{"polluted":1}}',
    '{"\\u0063onstructor":[]}',
  ]) {
    await refused(await evaluation(disguise), { code: "invalid_value", param: /^(constructor|__proto__)$/ });
  }
  assert.equal((Object.prototype as { polluted?: unknown }).polluted, undefined);
  const kept = await evaluation('{"a":{"default":{"constructor":"Ferrari","driver":"caf\\u00e9 \\u0063"}}}');
  const told = await kept.text();
  assert.equal(kept.status, 201, told);
  assert.match(told, /"constructor":"Ferrari"/);
});

/** All that a raw connection is answered. */
async function conversation(port: number, ...lines: string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1")
    .setEncoding("utf8")
    .on("error", () => {});
  let heard = "";
  socket.on("data", (text) => (heard += text));
  socket.write(lines.join("\r\n"));
  await once(socket, "close");
  return heard;
}

test("connections that drip or say too much are ended, with the reason", async () => {
  const port = Number(new URL(deployment.origin).port);
  const start = ["POST /v1/metrics HTTP/1.1", "host: x"];
  const body = ["content-type: application/json", "content-length: 100", "", '{"a":'];
  const key = `authorization: Bearer ${deployment.keys.a}`;
  const cases: [string[], RegExp][] = [
    [[...start, "x-a"], /^HTTP\/1\.1 408 [\s\S]*took too long/],
    [[`GET /${"x".repeat(20_000)} HTTP/1.1`, "", ""], /^HTTP\/1\.1 431 [\s\S]*larger than 16384 bytes/],
    [[...start, key, ...body], /^HTTP\/1\.1 408 [\s\S]*took too long/],
    // What need not be read is answered at once, and the rest not waited for.
    [[...start, ...body], /^HTTP\/1\.1 401 (?![\s\S]*HTTP\/1\.1)/],
    [["HELLO", "", ""], /^HTTP\/1\.1 400 /],
    [[], /^HTTP\/1\.1 408 /],
  ];
  await Promise.all(
    cases.map(async ([lines, expected]) => {
      const heard = await conversation(port, ...lines);
      assert.match(heard, expected);
      if (!heard) return;
      assert.match(heard, /x-content-type-options: nosniff/i);
      assert.match(heard, /x-request-id: req_/i);
    }),
  );
});
