/** The function that runs models, behind a REST API that streams: a real model's answers, whole and piece by piece. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { describeApi } from "../../api/document.ts";
import type { StreamingHandler } from "../../api/lambdaHandlers.ts";
import { modelRoutes } from "../../api/modelRoutes.ts";
import { newRouter } from "../../api/router.ts";
import { chatCompletionRoutes } from "../../api/routes/chatCompletions.ts";
import { completionRoutes } from "../../api/routes/completions.ts";
import { decisionRoutes } from "../../api/routes/decisions.ts";
import { driftRoutes } from "../../api/routes/drift.ts";
import { embeddingRoutes } from "../../api/routes/embeddings.ts";
import { graderRoutes } from "../../api/routes/graders.ts";
import { inferRoutes } from "../../api/routes/infer.ts";
import { moderationRoutes } from "../../api/routes/moderations.ts";
import { responseRoutes } from "../../api/routes/responses.ts";
import { importBase } from "../../infra/models/importBase.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { context, invokeStreaming, restEvent, runtime } from "../support/gateway.ts";

const base = "millrace-tiny-lm";
let cloud: Cloud;
let tenant: Tenant;
let handler: unknown;
let scratch: string;
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "acme");
  const directory = fileURLToPath(new URL(`../../shared/models/${base}`, import.meta.url));
  const files = (await readdir(directory)).filter((name) => /\.(json|safetensors)$/.test(name));
  await importBase(cloud.stores, { id: base, directory, files, replace: false });
  scratch = await mkdtemp(join(tmpdir(), "lambda-test-"));
  const environment = { MILLRACE_LOG_LEVEL: "silent", MILLRACE_DEVICE_THREADS: "1", TMPDIR: scratch };
  Object.assign(process.env, cloud.environment, environment);
  Object.assign(globalThis, { awslambda: runtime });
  // What an earlier process left, which had no time to tidy up.
  await mkdtemp(join(scratch, `millrace-models-${process.pid}-`));
  ({ handler } = await import("../../api/inferenceLambda.ts"));
});
after(async () => {
  await cloud.close();
  await rm(scratch, { recursive: true, force: true });
});

const eventOf = (path: string, body: string) => {
  const headers = { Authorization: [`Bearer ${tenant.key}`], "Content-Type": ["application/json"] };
  return restEvent({ method: "POST", path, headers, body });
};
const call = (path: string, body: object) => invokeStreaming(handler, eventOf(path, JSON.stringify(body)));
const messages = [{ role: "user", content: "Hello! How are you today?" }];
const asked = { model: base, messages, temperature: 0, max_tokens: 12 };

test("removes what an earlier process left on its disk, and no more", async () => {
  assert.deepEqual(
    (await readdir(scratch)).filter((name) => name.startsWith("millrace-models-")).length,
    1,
    "the model host's own directory",
  );
});

test("answers whole, and streams the same words event by event, with status and headers before them", async () => {
  const whole = await call("/v1/chat/completions", asked);
  assert.equal(whole.statusCode, 200, whole.body.toString());
  assert.match(whole.headers["content-type"]!, /^application\/json/);
  assert.equal(whole.headers["content-length"], undefined);
  const { content } = JSON.parse(whole.body.toString()).choices[0].message as { content: string };
  assert.ok(content.length > 0);
  const streamed = await call("/v1/chat/completions", { ...asked, stream: true });
  assert.match(streamed.headers["content-type"]!, /^text\/event-stream/);
  assert.match(streamed.headers["x-request-id"]!, /^req_/);
  const events = streamed.body.toString().trim().split("\n\n");
  assert.equal(events.at(-1), "data: [DONE]");
  const deltas = events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)).choices[0].delta.content);
  assert.equal(deltas.join(""), content);
  assert.ok(streamed.pieces > 2, `${streamed.pieces}`);
});

test("a client that takes an answer slowly, and leaves amid it, ends its writing; the next one is answered", async () => {
  const taken: string[] = [];
  const output = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk.toString());
      if (taken.length > 4) output.destroy();
      else setImmediate(done);
    },
  });
  const body = JSON.stringify({ ...asked, max_tokens: 400, stream: true });
  await (handler as StreamingHandler)(eventOf("/v1/chat/completions", body), output, context);
  assert.equal(taken.length, 5);
  assert.ok(!taken.join("").includes("[DONE]"));
  // Afterwards the function is frozen: what it wrote was counted before, as were the two answers above.
  const counted = await Array.fromAsync(cloud.stores.usage.stream(tenant.project.id, 0, 1e10));
  assert.equal(counted.length, 3);
  assert.equal((await call("/v1/chat/completions", asked)).statusCode, 200);
});

test("what is no gateway's event is refused in the same form, streamed", async () => {
  const answer = await invokeStreaming(handler, {} as never);
  assert.deepEqual([answer.statusCode, JSON.parse(answer.body.toString()).error.code], [400, "invalid_value"]);
});

test("embeds in its own process", async () => {
  const answer = await call("/v1/embeddings", { model: base, input: ["hello", "hello", "the weather"] });
  assert.equal(answer.statusCode, 200, answer.body.toString());
  const { data } = JSON.parse(answer.body.toString()) as { data: { embedding: number[] }[] };
  const [one, same, other] = data.map(({ embedding }) => embedding);
  const cosine = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  assert.ok(Math.abs(cosine(one!, same!) - 1) < 1e-4);
  assert.ok(cosine(one!, other!) < 0.999);
});

test("refuses with the wrapper what is wrong with a request that asks for a stream", async () => {
  const answer = await call("/v1/chat/completions", { ...asked, stream: true, max_tokens: -1 });
  assert.equal(answer.statusCode, 400);
  assert.equal(JSON.parse(answer.body.toString()).error.param, "max_tokens");
});

test("the routes that run models are those of the routers that are given the model host", () => {
  const nothing = {} as never;
  const routers = [
    ...[inferRoutes, decisionRoutes, embeddingRoutes, moderationRoutes, driftRoutes, graderRoutes],
    ...[chatCompletionRoutes, completionRoutes, responseRoutes],
  ];
  const app = newRouter();
  for (const routes of routers) app.route("/", routes(nothing));
  const found = Object.entries(describeApi(app).paths!).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const listed = Object.entries(modelRoutes).flatMap(([path, methods]) => methods.map((method) => `${method} ${path}`));
  assert.deepEqual(
    listed.filter((route) => !found.includes(route)),
    [],
  );
  /** Kept and looked up, without a model. */
  const light = /\/v1\/chat\/completions.*|graders\/validate$/;
  assert.deepEqual(
    found.filter((route) => !listed.includes(route) && !light.test(route)),
    [],
  );
});
