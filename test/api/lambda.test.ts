/** The light function behind API Gateway's REST API: the same app, without the model host. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Handler } from "../../api/lambdaHandlers.ts";
import { modelRoutes } from "../../api/modelRoutes.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { context, restEvent, type Sent } from "../support/gateway.ts";
import { end, field, file, multipartType } from "../support/multipart.ts";
import { addModel } from "../support/records.ts";

let cloud: Cloud;
let tenant: Tenant;
let handler: Handler;
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "acme");
  Object.assign(process.env, cloud.environment, { MILLRACE_LOG_LEVEL: "silent" });
  ({ handler } = await import("../../api/lambda.ts"));
});
after(() => cloud.close());

const json = "application/json";
const call = ({ headers, ...sent }: Sent, type = json, key = tenant.key) => {
  const own = { Authorization: [`Bearer ${key}`], "Content-Type": [type], ...headers };
  return handler(restEvent({ ...sent, headers: own }), context);
};

const upload = async (content: string | Buffer, name = "rows.jsonl") => {
  const bytes = Buffer.from(content).toString("latin1");
  const form = Buffer.from(field("purpose", "fine-tune") + file(bytes, name) + end, "latin1");
  const answer = await call({ method: "POST", path: "/v1/files", body: form }, multipartType);
  assert.equal(answer.statusCode, 200, answer.body);
  return (JSON.parse(answer.body) as { id: string }).id;
};

test("uploads, lists and downloads, binary and whole", async () => {
  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256));
  const id = await upload(bytes);
  const content = await call({ path: `/v1/files/${id}/content` });
  assert.equal(content.isBase64Encoded, true);
  assert.deepEqual(Buffer.from(content.body, "base64"), bytes);
  assert.equal(content.headers["content-type"], "application/octet-stream");
});

test("finds its paths below a stage and below a domain's base path, and queries with all their values", async () => {
  const ids = [await upload("a\n"), await upload("b\n"), await upload("c\n")];
  for (const prefix of ["", "/prod", "/api"]) {
    const query = { limit: ["2"], order: ["asc"], after: [ids[0]!] };
    const answer = await call({ path: `${prefix}/v1/files`, query });
    assert.equal(answer.statusCode, 200, answer.body);
    const listed = JSON.parse(answer.body) as { data: { id: string }[] };
    assert.deepEqual(
      listed.data.map(({ id }) => id),
      ids.slice(1),
    );
  }
});

test("reads a path as it came: a model's name with colons, encoded and not", async () => {
  const named = `ft:millrace-ngram:acme::${"0".repeat(8)}`;
  for (const id of [named, encodeURIComponent(named)]) {
    const answer = await call({ path: `/v1/models/${id}` });
    assert.equal(answer.statusCode, 404);
    assert.match(JSON.parse(answer.body).error.message, new RegExp(named));
  }
});

test("errors keep their wrapper and request id, and a repeated request its answer", async () => {
  const broken = await call({ method: "POST", path: "/v1/metrics", body: "{" });
  assert.deepEqual([broken.statusCode, JSON.parse(broken.body).error.code], [400, "invalid_json"]);
  assert.match(broken.headers["x-request-id"]!, /^req_/);
  const stranger = await call({ path: "/v1/files" }, json, "sk-nobody");
  assert.deepEqual([stranger.statusCode, JSON.parse(stranger.body).error.code], [401, "invalid_api_key"]);
  const unknown = await call({ path: "/v2/files" });
  assert.deepEqual([unknown.statusCode, JSON.parse(unknown.body).error.code], [404, "unknown_url"]);
  const metric = { name: "sold", type: "boolean", optimize: "max", level: "inference" };
  const repeat = { "Idempotency-Key": ["once"] };
  const make = () => call({ method: "POST", path: "/v1/metrics", body: JSON.stringify(metric), headers: repeat });
  const [first, second] = [await make(), await make()];
  assert.equal(first.statusCode, 200, first.body);
  assert.equal(second.body, first.body);
  assert.equal(second.headers["idempotent-replayed"], "true");
});

test("what is no gateway's event is refused in the same form", async () => {
  const answer = await handler({} as never, context);
  assert.deepEqual([answer.statusCode, JSON.parse(answer.body).error.code], [400, "invalid_value"]);
});

test("runs no model: a request that the gateway should have sent elsewhere is told so", async () => {
  const { id: model } = await addModel(cloud.stores, tenant);
  const questions = [{ type: "choice", instructions: "Which?", choices: [{ value: "spam" }, { value: "ham" }] }];
  const body = JSON.stringify({ model, input: "hello", questions });
  const answer = await call({ method: "POST", path: "/v1/decisions", body });
  assert.deepEqual([answer.statusCode, JSON.parse(answer.body).error.code], [404, "unknown_url"]);
  assert.ok(modelRoutes["/v1/decisions"]?.includes("POST"));
});

/** Files and packages that the file imports when it is loaded, and that those import. */
function importsOf(entry: string): Set<string> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    if (!path.endsWith(".ts")) return;
    const imports = /(?:^|\n)(?:import|export)\s(?!type\s)[^;'"]*?from\s+"([^"]+)"|\nimport\s+"([^"]+)"/g;
    for (const [, from, bare] of readFileSync(join(root, path), "utf8").matchAll(imports)) {
      const target = (from ?? bare)!;
      visit(target.startsWith(".") ? normalize(join(dirname(path), target)) : target);
    }
  };
  visit(entry);
  return found;
}

test("loads neither ONNX Runtime nor the model host; the function that runs models loads the host, and ONNX Runtime when asked", () => {
  const light = importsOf("api/lambda.ts");
  assert.ok(light.size > 300 && light.has("hono/cors"));
  const heavy = ["onnxruntime-node", "shared/serving/host.ts", "shared/engine/runtime/session.ts"];
  assert.deepEqual(
    heavy.filter((path) => light.has(path)),
    [],
  );
  const inference = importsOf("api/inferenceLambda.ts");
  assert.deepEqual(
    heavy.filter((path) => inference.has(path)),
    ["shared/serving/host.ts"],
  );
});
