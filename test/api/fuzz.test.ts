/** Bodies that nobody thought of: refused or served, but never our fault. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { ErrorResponse } from "../../shared/schemas/error.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { end, field, file, multipartType } from "../support/multipart.ts";
import { addInference, addModel, addOnnx } from "../support/records.ts";
import { addBase } from "../support/tinyCheckpoint.ts";

let deployment: Deployment;
let bodies: Record<string, object>;
before(async () => {
  const host = fakeHost();
  deployment = await deploy({ host });
  const base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  const { id: model } = await addModel(deployment.stores, deployment.a, { base });
  host.labels.set(model, ["ham", "spam", "safe"]);
  const question = { type: "choice", name: "n", instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] };
  const { id: inference_id } = await addInference(deployment.stores, deployment.a);
  await addOnnx(deployment.stores, "onnx");
  bodies = {
    "/v1/fine_tuning/jobs": {
      model: "millrace-ngram",
      training_file: "file-x",
      seed: 1,
      method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 2 } } },
      metadata: { a: "b" },
    },
    "/v1/batches": {
      input_file_id: "file-x",
      endpoint: "/v1/decisions",
      completion_window: "24h",
      output_expires_after: { anchor: "created_at", seconds: 3600 },
    },
    "/v1/models/onnx/infer": {
      id: "1",
      inputs: [{ name: "x", shape: [2], datatype: "FP32", data: [1, 2] }],
      outputs: [{ name: "y" }],
    },
    "/v1/decisions": {
      model,
      input: [{ role: "user", content: [{ type: "input_text", text: "ham" }] }],
      questions: [
        question,
        { type: "predicate", instructions: "ham" },
        { type: "score", instructions: "?", levels: [{ label: "ham" }, { label: "eggs", description: "of hens" }] },
      ],
    },
    "/v1/embeddings": { model, input: ["ham", "spam"], dimensions: 3, encoding_format: "base64" },
    "/v1/chat/completions": {
      model,
      messages: [{ role: "user", content: [{ type: "text", text: "a b" }] }],
      logit_bias: { 3: 1 },
      stop: ["x"],
      stream_options: { include_usage: true },
      response_format: {
        type: "json_schema",
        json_schema: { name: "n", schema: { type: "object", properties: { a: { type: ["string", "null"] } } } },
      },
      stream: true,
    },
    "/v1/responses": {
      model,
      input: [{ role: "user", content: [{ type: "input_text", text: "a b" }] }],
      include: ["message.output_text.logprobs"],
      text: { format: { type: "json_schema", name: "n", schema: { type: "object" } } },
      stream: true,
    },
    "/v1/completions": { model, prompt: ["a b", "c"], logprobs: 2, n: 2, max_tokens: 3, stream: true },
    "/v1/metrics": { name: "solved", type: "boolean", level: "inference", optimize: "max", description: "d" },
    "/v1/feedback": { inference_id, metric_name: "demonstration", value: { a: ["b", 1, null] } },
    "/v1/moderations": { model, input: [{ type: "text", text: "ham" }] },
  };
});
after(() => deployment.close());

async function neverOurFault(response: Response): Promise<void> {
  const text = await response.text();
  assert.ok(response.status < 500, text);
  if (!response.ok) ErrorResponse.strict().parse(JSON.parse(text));
}

const postJson = (path: string, body: string) =>
  deployment.fetch(path, { method: "POST", body, headers: { "content-type": "application/json" } });

/** Every place in a value. */
function* placesOf(value: unknown, path: string[] = []): Generator<string[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) yield* placesOf(child, [...path, key]);
}

function withValueAt(body: unknown, [head, ...rest]: string[], value: unknown): unknown {
  if (head === undefined) return value;
  const copy = structuredClone(body) as Record<string, unknown>;
  copy[head] = withValueAt(copy[head], rest, value);
  return copy;
}

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom("__proto__", "", "\u0000", "\ud800", "💥".repeat(300), -0, 1e308, 2 ** 53, [], {}, null),
);

test("any value anywhere in a valid body", async () => {
  for (const [path, body] of Object.entries(bodies)) {
    const places = [...placesOf(body)];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), anything, async (place, value) => {
        await neverOurFault(await postJson(path, JSON.stringify(withValueAt(body, place, value)) ?? ""));
      }),
      { numRuns: 100 },
    );
  }
});

test("valid bodies with bytes gone wrong", async () => {
  for (const [path, body] of Object.entries(bodies)) {
    const bytes = Buffer.from(JSON.stringify(body));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), async (at, value, cut) => {
        const broken = Buffer.from(bytes);
        broken[at] = value;
        const sent = new Uint8Array(cut ? broken.subarray(0, at) : broken);
        const headers = { "content-type": "application/json" };
        await neverOurFault(await deployment.fetch(path, { method: "POST", body: sent, headers }));
      }),
      { numRuns: 60 },
    );
  }
});

test("any text in a query or an id", async () => {
  const paths = (text: string) => [
    `/v1/files?after=${text}&limit=${text}&order=${text}&purpose=${text}`,
    `/v1/fine_tuning/jobs?metadata[${text}]=${text}`,
    `/v1/files/${text}`,
    `/v1/models/${text}`,
    `/v1/fine_tuning/jobs/${text}/events?after=${text}`,
    `/v1/inferences/${text}`,
    `/v1/inferences?model=${text}&metric_name=${text}`,
    `/v1/feedback?inference_id=${text}`,
    `/v1/metrics?after=${text}`,
  ];
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), fc.nat(8), async (text, which) => {
      await neverOurFault(await deployment.fetch(paths(encodeURIComponent(text.toWellFormed()))[which]!));
    }),
    { numRuns: 120 },
  );
});

test("uploads with bytes gone wrong", async () => {
  const bytes = Buffer.from(field("purpose", "fine-tune") + file("{}\n") + end);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), async (at, value, cut) => {
      const broken = Buffer.from(bytes);
      broken[at] = value;
      const body = new Uint8Array(cut ? broken.subarray(0, at) : broken);
      await neverOurFault(
        await deployment.fetch("/v1/files", { method: "POST", body, headers: { "content-type": multipartType } }),
      );
    }),
    { numRuns: 120 },
  );
});
