/** Functions: a client names the task, a variant answers, and the answer says which. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import type { MillraceFunction, Variant } from "../../../shared/schemas/function.ts";
import type { Inference } from "../../../shared/schemas/inference.ts";
import { batchesOf, decisionLine } from "../../support/batches.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { type FakeHost, fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { sdks } from "../../support/sdks.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";
import { workerContext, workOn } from "../../support/workerTasks.ts";

let deployment: Deployment;
let client: OpenAI;
let host: FakeHost;
let [blue, green] = ["", ""];
before(async () => {
  host = fakeHost();
  deployment = await deploy({ host });
  client = deployment.client();
  const base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  const make = (id: string) => addModel(deployment.stores, deployment.a, { id, base_model: "tiny-bert", base });
  blue = (await make("ft:blue")).id;
  green = (await make("ft:green")).id;
  for (const id of [blue, green]) host.labels.set(id, ["ham", "spam", "safe"]);
  await client.post(`/organization/projects/${deployment.a.project.id}`, { body: { inference_records: "full" } });
});
after(() => deployment.close());

const create = (name: string, variants: Variant[], more: object = {}) =>
  client.post<MillraceFunction>("/functions", { body: { name, variants, ...more } });
const update = (name: string, body: object) => client.post<MillraceFunction>(`/functions/${name}`, { body });
const two = (): Variant[] => [
  { name: "blue", model: blue },
  { name: "green", model: green },
];
const questions = [{ type: "choice" as const, instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }];
const decide = (model: string, more: object = {}) =>
  client.decisions.create({ model, input: "ham", questions, ...more }).withResponse();

const messages = [{ role: "user" as const, content: "so be it" }];
const calls: Record<string, (sdk: OpenAI) => { withResponse(): Promise<{ data: unknown; response: Response }> }> = {
  "/v1/chat/completions": (sdk) => sdk.chat.completions.create({ model: "fn:all", messages }),
  "/v1/completions": (sdk) => sdk.completions.create({ model: "fn:all", prompt: "so be it" }),
  "/v1/responses": (sdk) => sdk.responses.create({ model: "fn:all", input: "so be it" }),
  "/v1/embeddings": (sdk) => sdk.embeddings.create({ model: "fn:all", input: "so be it" }),
  "/v1/moderations": (sdk) => sdk.moderations.create({ model: "fn:all", input: "so be it" }),
};

for (const [version, Client] of Object.entries(sdks)) {
  describe(version, () => {
    test("a function is called wherever a model is, and its answer and record name model, function and variant", async () => {
      await create("all", two(), { incumbent: "green" });
      const sdk = new Client({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });
      for (const [endpoint, call] of Object.entries(calls)) {
        const { data, response } = await call(sdk as OpenAI).withResponse();
        assert.equal((data as { model: string }).model, green, endpoint);
        const told = ["function", "variant"].map((name) => response.headers.get(`x-millrace-${name}`));
        assert.deepEqual(told, ["all", "green"], endpoint);
        const record = await client.get<Inference>(`/inferences/${response.headers.get("x-request-id")}`);
        assert.deepEqual(
          [record.endpoint, record.model, record.function, record.variant],
          [endpoint, green, "all", "green"],
        );
      }
    });
  });
}

test("a streamed answer tells its function, too, and so do decisions", async () => {
  await create("all", two(), { incumbent: "green" });
  const asked = client.chat.completions.create({ model: "fn:all", messages, stream: true });
  const { data, response } = await asked.withResponse();
  for await (const chunk of data) assert.equal(chunk.model, green);
  assert.equal(response.headers.get("x-millrace-variant"), "green");
  const record = await client.get<Inference>(`/inferences/${response.headers.get("x-request-id")}`);
  assert.deepEqual([record.function, record.variant, record.is_complete], ["all", "green", true]);
  const decided = await decide("fn:all");
  assert.deepEqual([decided.data.model, decided.response.headers.get("x-millrace-variant")], [green, "green"]);
});

test("inferences are found by function and variant", async () => {
  await create("found", two());
  await decide("fn:found");
  await update("found", { incumbent: "green" });
  await decide("fn:found");
  const variantsOf = async (query: string) =>
    (await client.get<{ data: Inference[] }>(`/inferences?${query}`)).data.map(({ variant }) => variant);
  assert.deepEqual(await variantsOf("function=found"), ["green", "blue"]);
  assert.deepEqual(await variantsOf("function=found&variant=blue"), ["blue"]);
  assert.deepEqual(await variantsOf("function=lost"), []);
});

test("another incumbent answers from its write on, and the function tells since when, who and why", async () => {
  await create("moved", two());
  assert.equal((await decide("fn:moved")).data.model, blue);
  const moved = await update("moved", { incumbent: "green", reason: "two points better" });
  assert.deepEqual(
    [moved.incumbent, moved.previous_incumbent, moved.incumbent_reason],
    ["green", "blue", "two points better"],
  );
  assert.match(moved.incumbent_set_by, /^key_/);
  assert.equal((await decide("fn:moved")).data.model, green);
});

test("a variant may be an alias, and follows its moves", async () => {
  await client.post("/aliases", { body: { name: "live", model: blue } });
  await create("aliased", [{ name: "live", model: "alias:live" }]);
  assert.equal((await decide("fn:aliased")).data.model, blue);
  await client.post("/aliases/live", { body: { model: green } });
  assert.equal((await decide("fn:aliased")).data.model, green);
  await assert.rejects(client.delete("/aliases/live"), { status: 409 });
});

test("parameters of a variant fill what a request leaves open, by each endpoint's own name", async () => {
  const parameters = { max_tokens: 2, min_precision: 0.9, dimensions: 5 };
  const strict = [0.5, 0.9].map((precision) => ({ precision, confidence: precision + 0.05 }));
  host.thresholds.set(blue, strict);
  await create("tuned", [{ name: "only", model: blue, parameters }]);
  const model = "fn:tuned";
  const long = [{ role: "user" as const, content: "one two three four five" }];
  const words = async (more: object) =>
    (await client.chat.completions.create({ model, messages: long, ...more })).choices[0]!.message.content!.split(" ");
  assert.equal((await words({})).length, 2);
  assert.equal((await words({ temperature: 0, max_completion_tokens: 3 })).length, 3);
  assert.equal((await words({ max_tokens: 4 })).length, 4, "the request's own, by its other name");
  const answered = await client.responses.create({ model, input: "one two three four five" });
  assert.equal(answered.output_text.split(" ").length, 2);
  const vectors = await client.embeddings.create({ model, input: "abc" });
  assert.equal(vectors.data[0]!.embedding.length, 5);
  assert.equal((await decide(model)).data.answers[0]!.type, "refusal");
  const own = await decide(model, { min_precision: 0.5 });
  assert.equal(own.data.answers[0]!.type, "choice", "the request's own");
});

test("a batch's lines may name functions", async () => {
  await create("batched", two());
  const { create: begin, lines } = batchesOf(deployment);
  const batch = await begin([decisionLine("a", "fn:batched", "spam"), decisionLine("b", "fn:none", "spam")]);
  await workOn(workerContext(deployment, host), "batch", { id: batch.id, project_id: deployment.a.project.id });
  const { output_file_id, error_file_id } = await client.batches.retrieve(batch.id);
  const [line] = await lines(output_file_id);
  assert.equal(line?.response?.body.model, blue);
  const record = await client.get<Inference>(`/inferences/${line!.response!.request_id}`);
  assert.deepEqual([record.model, record.function, record.variant], [blue, "batched", "blue"]);
  const [refused] = await lines(error_file_id);
  assert.deepEqual(
    [refused?.response?.status_code, refused?.response?.body.error.message],
    [404, "No such function: 'fn:none'."],
  );
});

test("what would leave a function without an answer, or say what no endpoint knows, is refused by name", async () => {
  const variant = { name: "a", model: blue };
  const cases: [object, { status: number; param: string }][] = [
    [
      { name: "Bad Name", variants: [variant] },
      { status: 400, param: "name" },
    ],
    [
      { name: "x", variants: [] },
      { status: 400, param: "variants" },
    ],
    [
      { name: "x", variants: [{ name: "a", model: "ft:none" }] },
      { status: 404, param: "variants[0].model" },
    ],
    [
      { name: "x", variants: [variant, variant] },
      { status: 400, param: "variants[1].name" },
    ],
    [
      { name: "x", variants: [{ name: "a", model: "fn:all" }] },
      { status: 400, param: "variants[0].model" },
    ],
    [
      { name: "x", variants: [{ name: "a", model: "alias:none" }] },
      { status: 404, param: "variants[0].model" },
    ],
    [
      { name: "x", variants: [variant], incumbent: "b" },
      { status: 400, param: "incumbent" },
    ],
    [
      { name: "x", variants: [{ ...variant, parameters: { temprature: 1 } }] },
      { status: 400, param: "variants[0].parameters.temprature" },
    ],
    [
      { name: "x", variants: [{ ...variant, parameters: { temperature: 3 } }] },
      { status: 400, param: "variants[0].parameters.temperature" },
    ],
    [
      { name: "x", variants: [{ ...variant, parameters: { model: green } }] },
      { status: 400, param: "variants[0].parameters.model" },
    ],
  ];
  for (const [body, refusal] of cases) await assert.rejects(client.post("/functions", { body }), refusal);
  await create("kept", two());
  assert.equal((await create("kept", two())).name, "kept", "asked for again");
  await assert.rejects(create("kept", [variant]), { status: 409, param: "name" });
  await assert.rejects(update("kept", { incumbent: "red" }), { status: 400, param: "incumbent" });
  await assert.rejects(update("kept", { variants: [two()[1]] }), { status: 400, param: "variants" });
  await assert.rejects(client.models.delete(blue), { status: 409 });
  await assert.rejects(decide("fn:none"), { status: 404, param: "model" });
});

test("a function that is deleted is gone at once, and what it answered is still found", async () => {
  await create("gone", two());
  await decide("fn:gone");
  assert.deepEqual(await client.delete("/functions/fn:gone"), { id: "fn:gone", object: "function", deleted: true });
  await assert.rejects(decide("fn:gone"), OpenAI.NotFoundError);
  await assert.rejects(client.get("/functions/gone"), OpenAI.NotFoundError);
  assert.equal((await client.get<{ data: unknown[] }>("/inferences?function=gone")).data.length, 1);
});

test("a model too heavy for the API answers for a function by a worker, as it was decided when it was asked", async () => {
  const heavy = await deploy({ heavyBytes: 1, answerWaitSeconds: 0 });
  try {
    const { digest, files } = await addBase(heavy.stores, "tiny-bert", { "config.json": "{}" });
    const content = { base_model: "tiny-bert", base: { digest, files } };
    for (const id of [blue, green]) await addModel(heavy.stores, heavy.a, { id, ...content });
    const sdk = heavy.client();
    await sdk.post(`/organization/projects/${heavy.a.project.id}`, { body: { inference_records: "metadata" } });
    await sdk.post("/functions", { body: { name: "slow", variants: two() } });
    const asked = await sdk.decisions.create({ model: "fn:slow", input: "ham", questions }).withResponse();
    assert.equal(asked.response.status, 202);
    const { id, request_id } = asked.data as unknown as { id: string; request_id: string };
    await sdk.post("/functions/slow", { body: { incumbent: "green" } });
    await workOn(workerContext(heavy, host), "answer", { id, project_id: heavy.a.project.id });
    const { response } = await sdk.get<{ response: { body: { model: string } } }>(`/answers/${id}`);
    assert.equal(response.body.model, blue);
    const record = await sdk.get<Inference>(`/inferences/${request_id}`);
    assert.deepEqual([record.model, record.function, record.variant], [blue, "slow", "blue"]);
  } finally {
    await heavy.close();
  }
});
