/** What every operation promises, asked of each one in `api/openapi.json`: a new route is covered without an edit here. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { itemId } from "../../shared/stores/labelItems.ts";
import { addAnswer } from "../support/answers.ts";
import {
  chosen,
  formOf,
  formWith,
  jsonOf,
  type Operation,
  operations,
  refused,
  schemas,
  wrongQueries,
} from "../support/contract.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { addEvalRun, rightLabel } from "../support/evals.ts";
import { freshExperiment } from "../support/experiments.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { brokenBodies, type Fixtures, mismatches, resolve, validBody } from "../support/openapiBodies.ts";
import { addOrganization, keyFor } from "../support/organizations.ts";
import { addEpisode, addInference, addLabelQueue, addModel, addOnnx, buildVersion } from "../support/records.ts";
import { addBase } from "../support/tinyCheckpoint.ts";
import { freshUpload } from "../support/uploads.ts";
import { freshWebhook } from "../support/webhooks.ts";

/** Its models are the deployment's, for every project. */
const inferPath = "/v1/models/{id}/infer";
/** Any project may begin a dataset of that name. */
const beginning = "POST /v1/datasets/{name}/versions";
const publicPaths = ["/healthz", "/openapi.json", "/reference"];
const maxUploadBytes = 256 * 1024;

const host = fakeHost();
let deployment: Deployment;
/**
 * Ids of tenant A, by the collection that stands before `{id}` in a path (or by the path, where that is another), and by
 * the name of the field in a body.
 */
let fixtures: Fixtures;

async function upload(name: string, purpose = "fine-tune"): Promise<string> {
  const form = new FormData();
  form.append("purpose", purpose);
  form.append("file", new Blob(["{}\n"]), name);
  return ((await (await deployment.fetch("/v1/files", { method: "POST", body: form })).json()) as { id: string }).id;
}

/** A model of whom everything can be asked: it has labels that moderate, and a base that gives vectors. */
const model = "ft:tiny-bert:acme::anything";

async function addModelForAll(): Promise<void> {
  const { digest, files } = (await deployment.stores.bases.get("tiny-bert"))!;
  await addModel(deployment.stores, deployment.a, { id: model, base_model: "tiny-bert", base: { digest, files } });
}

before(async () => {
  deployment = await deploy({ host, maxUploadBytes, moderationModel: model });
  host.labels.set(model, ["ham", "spam", "safe"]);
  const [training_file, validation_file] = await Promise.all([upload("a.jsonl"), upload("b.jsonl")]);
  await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  await addModelForAll();
  const job = await deployment.client().fineTuning.jobs.create({ model: "millrace-ngram", training_file });
  fixtures = { training_file, validation_file, model, files: training_file, models: model, jobs: job.id };
  const input_file_id = await upload("c.jsonl", "batch");
  const asked = { input_file_id, endpoint: "/v1/decisions", completion_window: "24h" };
  const batch = (await (await send("POST", "/v1/batches", asked)).json()) as { id: string };
  Object.assign(fixtures, { input_file_id, batches: batch.id, projects: deployment.a.project.id, [inferPath]: "onnx" });
  fixtures.answers = (await addAnswer(deployment.stores, deployment.a)).id;
  await storeCompletion();
  await addAlias();
  await addFunction();
  await addDataset();
  await beginTurn();
  await addLabels();
  await judgeInference();
  await declareSpareMetric();
  await addEval();
  await addOnnx(deployment.stores, "onnx");
  fixtures.inputs = [{ name: "x", shape: [2], datatype: "FP32", data: [1, 2] }];
  await addOrganization(deployment, fixtures);
});
after(() => deployment.close());

/** Many times what the stack holds. */
const deep = { open: "[".repeat(200_000), closed: `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}` };
const tooLong = `"${"x".repeat(5 * 1024 * 1024)}"`;

function urlOf(path: string, id?: string): string {
  return path.replace(/(\w+)\/\{\w+\}/g, (_, collection: string) => {
    const own = id ?? fixtures[path] ?? fixtures[collection];
    assert.ok(own, `No fixture for ${path}: make one of '${collection}' in before()`);
    return `${collection}/${encodeURIComponent(String(own))}`;
  });
}

function send(method: string, url: string, body?: unknown, init: Parameters<Deployment["fetch"]>[1] = {}) {
  const isJson = body !== undefined && !(body instanceof FormData);
  const headers = isJson ? { "content-type": "application/json" } : undefined;
  return deployment.fetch(url, {
    method,
    key: keyFor(deployment.a, url),
    ...(isJson ? { body: JSON.stringify(body) } : body === undefined ? {} : { body }),
    ...init,
    headers: { ...headers, ...init.headers },
  });
}

const validRequestBody = (operation: Operation) => {
  const json = jsonOf(operation);
  const form = formOf(operation);
  if (operation.requestBody) assert.ok(json ?? form, "No request can be made of this content type");
  const choice = chosen[json?.$ref?.split("/").at(-1) ?? ""];
  const more = choice && { [choice]: fixtures[choice] };
  return json ? Object.assign(validBody(json, schemas, fixtures, false) as object, more) : form && formWith(form);
};

test("only health and the contract itself are public", () => {
  const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
  assert.deepEqual(open.sort(), publicPaths);
});

for (const { path, method, operation } of operations) {
  const isPublic = publicPaths.includes(path);
  describe(`${method} ${path}`, () => {
    test("answers a valid request as the contract says, with nothing besides", async () => {
      await renew(path);
      const response = await send(method, urlOf(path), validRequestBody(operation), { redirect: "manual" });
      if (method === "DELETE" && response.ok) await restore(path);
      const body = await response.text();
      // What a job's state forbids is an answer too.
      assert.ok(response.ok || response.status === 409, body);
      const answer = operation.responses[String(response.status)];
      assert.ok(answer, `${response.status} is not in the contract`);
      const schema = answer.content?.["application/json"]?.schema;
      if (schema) assert.deepEqual([...mismatches(schema, schemas, JSON.parse(body))], []);
    });

    test("describes every answer", () => {
      for (const [status, answer] of Object.entries(operation.responses)) assert.ok(answer.content, status);
    });

    test("carries an x-request-id", async () => {
      const response = await send("HEAD", urlOf(path));
      assert.match(response.headers.get("x-request-id") ?? "", /^req_/);
    });

    test("is 405 for other methods, and names the right ones", async () => {
      const response = await send("PATCH", urlOf(path), undefined);
      await refused(response, { status: 405, code: "method_not_allowed" });
      assert.ok(response.headers.get("allow")?.includes(method));
    });

    if (method === "GET") {
      test("answers HEAD like GET, without a body", async () => {
        const response = await send("HEAD", urlOf(path));
        assert.deepEqual([response.status, await response.text()], [200, ""]);
      });
    }

    if (!isPublic) {
      test("is 401 without a key, and with a wrong one", async () => {
        const headers = { authorization: `Basic ${deployment.keys.a}` };
        for (const init of [{ key: null }, { key: "sk-wrong" }, { key: "two words" }, { key: null, headers }]) {
          const response = await send(method, urlOf(path), validRequestBody(operation), init);
          await refused(response, { status: 401, code: "invalid_api_key" });
        }
      });
    }

    if (path.includes("{")) {
      test("is 404 for another project's id, a missing one, and for what cannot be one", async () => {
        if (`${method} ${path}` === beginning) return;
        if (path !== inferPath) {
          const init = { key: keyFor(deployment.b, path) };
          await refused(await send(method, urlOf(path), validRequestBody(operation), init), { status: 404 });
        }
        for (const id of ["x", "file-0", "a b", "ünï", "\u0000", "%", "'", "x".repeat(3000), "🦀"]) {
          await refused(await send(method, urlOf(path, id), validRequestBody(operation)), { status: 404 });
        }
      });
    }

    for (const parameter of operation.parameters?.filter((each) => each.in === "query") ?? []) {
      test(`names the query parameter '${parameter.name}' when it is wrong`, async () => {
        const wrong = wrongQueries(parameter);
        assert.ok(wrong.length > 0, "No wrong value can be made: give the parameter a constraint");
        for (const query of wrong) {
          const response = await send(method, `${urlOf(path)}?${query}`);
          await refused(response, { param: new RegExp(`^${parameter.name}\\b`) });
        }
      });
    }

    const json = jsonOf(operation);
    if (json) {
      test("names the field at fault in every body that is wrong by one", async () => {
        const bodies = [0, 1, 2].map((pick) => validBody(json, schemas, fixtures, true, pick));
        const broken = bodies.flatMap((body) => brokenBodies(json, schemas, body));
        assert.ok(broken.length > 10, "The generator finds hardly a way to break this body");
        for (const { title, body, param, code } of broken) {
          const error = await refused(await send(method, urlOf(path), body), { param }).catch((cause) =>
            assert.fail(`${title} in ${JSON.stringify(body)}: ${cause.message}`),
          );
          if (code !== "invalid_type") assert.equal(error.code, code, `${title}: ${error.message}`);
        }
      });

      test("accepts all optional fields at once", async () => {
        await renew(path);
        const response = await send(method, urlOf(path), validBody(json, schemas, fixtures, true));
        assert.ok(response.ok, await response.text());
      });

      test("says what is wrong with bodies that are no JSON object", async () => {
        const headers = { "content-type": "application/json" };
        const isDemanding = Boolean(resolve(json, schemas).required?.length);
        const incomplete = { code: isDemanding ? "missing_required_parameter" : "unknown_parameter" };
        const raw = (body: string | Uint8Array<ArrayBuffer>, more = {}) => ({ body, headers: { ...headers, ...more } });
        const cases: [RequestInit, Parameters<typeof refused>[1]][] = [
          [raw(""), { code: "invalid_json" }],
          [raw("{"), { code: "invalid_json" }],
          [raw("["), { code: "invalid_json" }],
          [raw("[]"), { code: "invalid_type" }],
          [raw("null"), { code: "invalid_type" }],
          [raw("7"), { code: "invalid_type" }],
          [raw(isDemanding ? "{}" : '{"a":1}'), incomplete],
          [raw('{"__proto__":{"model":"x"}}'), {}],
          [raw(new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])), { code: "invalid_encoding" }],
          [raw(deep.open), { code: "invalid_json" }],
          [raw(deep.closed), { code: "invalid_json" }],
          [raw(tooLong), { status: 413, code: "payload_too_large" }],
          [raw("{}", { "content-type": "text/plain" }), { status: 415, code: "unsupported_media_type" }],
          [raw("{}", { "content-type": "multipart/form-data; boundary=x" }), { status: 415 }],
        ];
        for (const [init, expected] of cases) {
          await refused(await send(method, urlOf(path), undefined, init), expected);
        }
      });
    }

    const form = formOf(operation);
    if (form) {
      test("names the form field at fault", async () => {
        const wrong: [Record<string, string | Blob | undefined>, Parameters<typeof refused>[1]][] = [
          [{ no_such_field: "1" }, { code: "unknown_parameter", param: "no_such_field" }],
        ];
        for (const name of form.required ?? []) {
          wrong.push([{ [name]: undefined }, { code: "missing_required_parameter", param: name }]);
        }
        for (const [name, property] of Object.entries(form.properties ?? {})) {
          if (property.format === "binary") {
            wrong.push([{ [name]: new Blob([]) }, { param: name }]);
            wrong.push([{ [name]: new Blob(["x".repeat(maxUploadBytes + 1)]) }, { status: 413, param: name }]);
            wrong.push([{ [name]: "a field and no file", purpose: "zzz" }, { param: "purpose" }]);
          } else {
            wrong.push([{ [name]: "zzz" }, { param: name }], [{ [name]: "x".repeat(100_000) }, { param: name }]);
          }
          if (property.minimum !== undefined) wrong.push([{ [name]: String(property.minimum - 1) }, { param: name }]);
          if (property.maximum !== undefined) wrong.push([{ [name]: String(property.maximum + 1) }, { param: name }]);
        }
        for (const [changes, expected] of wrong) {
          const response = await send(method, urlOf(path), formWith(form, changes));
          await refused(response, expected).catch((cause) => assert.fail(`${Object.keys(changes)}: ${cause.message}`));
        }
      });

      test("says what is wrong with bodies that are no form", async () => {
        const multipart = { "content-type": "multipart/form-data; boundary=x" };
        const cases: [RequestInit, Parameters<typeof refused>[1]][] = [
          [{ body: "{}", headers: { "content-type": "application/json" } }, { status: 415 }],
          [{ body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } }, { status: 415 }],
          [{}, { status: 415 }],
          [{ body: "", headers: multipart }, {}],
          [{ body: "nonsense", headers: multipart }, { code: "invalid_multipart" }],
          [{ body: new Uint8Array([0xff, 0xfe, 0]), headers: multipart }, { code: "invalid_multipart" }],
          [{ body: "x", headers: { "content-type": "multipart/form-data" } }, { code: "invalid_multipart" }],
        ];
        for (const [init, expected] of cases) {
          await refused(await send(method, urlOf(path), undefined, init), expected);
        }
      });
    }
  });
}

/** A deletion that succeeded took the fixture with it. */
async function storeCompletion(): Promise<void> {
  const messages = [{ role: "user", content: "so be it" }];
  const asked = { model: fixtures.model, messages, store: true };
  const stored = (await (await send("POST", "/v1/chat/completions", asked)).json()) as { id: string };
  fixtures.completions = stored.id;
}

async function addDataset(): Promise<void> {
  const { stores, a } = deployment;
  const version = await buildVersion(stores, a, "intents");
  Object.assign(fixtures, {
    datasets: "intents",
    versions: 1,
    dataset: "intents",
    version: 1,
    against: 1,
    file_id: fixtures.training_file,
  });
  assert.equal(version.version, 1);
}

/** A row of a queue, with the key and with a labeller. */
async function addLabels(): Promise<void> {
  const queue = await addLabelQueue(deployment.stores, deployment.a);
  for (const query of ["", "?labeller=ann"]) await send("GET", `/v1/label_queue${query}`);
  const item_id = itemId(queue.id, 0);
  Object.assign(fixtures, { label_queues: queue.id, queue_id: queue.id, item_id, labeller: "ann", label: "ham" });
  await send("POST", "/v1/datasets/intents/versions/1/doctor");
}

async function addAlias(): Promise<void> {
  await deployment.fetch("/v1/aliases", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "prod", model: "millrace-ngram" }),
  });
  fixtures.aliases = "prod";
}

async function addFunction(): Promise<void> {
  const variants = [{ name: "first", model: "millrace-ngram" }];
  await send("POST", "/v1/functions", { name: "intents", variants });
  for (const more of ["", "/drift"]) fixtures[`/v1/functions/{name}${more}`] = "intents";
  fixtures.functions = "intents";
}

async function renew(path: string): Promise<void> {
  if (path.startsWith("/v1/uploads")) Object.assign(fixtures, await freshUpload(deployment));
  if (path.startsWith("/v1/webhook")) Object.assign(fixtures, await freshWebhook(deployment));
  if (path.startsWith("/v1/experiments")) {
    Object.assign(fixtures, await freshExperiment(deployment, path !== "/v1/experiments"));
  }
}

async function beginTurn(): Promise<void> {
  const recipe = { dataset: "intents", sources: [{ type: "dataset", dataset: "intents", version: 1 }] };
  const test_set = { dataset: "intents", version: 1 };
  await send("PUT", "/v1/functions/intents/policy", { recipe, test_set, training: { model: "millrace-ngram" } });
  fixtures.promotions = ((await (await send("POST", "/v1/functions/intents/turn")).json()) as { id: string }).id;
}

/** With both ids feedback is on the one that the metric is for. */
async function judgeInference(): Promise<void> {
  const episode_id = await addEpisode(deployment.stores, deployment.a);
  const { id } = await addInference(deployment.stores, deployment.a, { episode_id, input: { a: 1 }, output: { b: 2 } });
  const metric = { name: "solved", type: "boolean", level: "inference", optimize: "max" };
  await send("POST", "/v1/metrics", metric);
  Object.assign(fixtures, { inference_id: id, episode_id, inferences: id, metric_name: "solved" });
  for (const value of [true, false]) {
    await send("POST", "/v1/feedback", { inference_id: id, metric_name: "solved", value });
  }
}

/** With two completed runs to compare. */
async function addEval(): Promise<void> {
  const { stores, a } = deployment;
  const body = { data_source_config: { type: "custom", item_schema: {} }, testing_criteria: [rightLabel] };
  const { id } = (await (await send("POST", "/v1/evals", body)).json()) as { id: string };
  const outputs = ["a", "b", "c"].map((label) => ({ item: { label }, output: label }));
  const completed = [await addEvalRun(stores, a, id, outputs), await addEvalRun(stores, a, id, outputs)];
  const run = { project_id: a.project.id, id: completed[0]! };
  const [item] = await stores.evalRuns.items(run, { limit: 1 });
  Object.assign(fixtures, { evals: id, runs: run.id, output_items: item!.id });
}

async function declareSpareMetric(): Promise<void> {
  await send("POST", "/v1/metrics", { name: "spare", type: "float", level: "episode", optimize: "min" });
  fixtures.metrics = "spare";
}

/** By what the path of a deletion holds. */
const restores: Record<string, () => Promise<unknown>> = {
  "/files/": async () => {
    fixtures.files = fixtures.file_id = fixtures.training_file = await upload("a.jsonl");
  },
  "/completions/": storeCompletion,
  "/inferences/": judgeInference,
  "/metrics/": declareSpareMetric,
  "/models/": addModelForAll,
  "/evals/": addEval,
  "/aliases/": addAlias,
  "/functions/": addFunction,
  "/v1/organization/": () => addOrganization(deployment, fixtures),
  "/permissions/": () => addOrganization(deployment, fixtures),
  "/webhook_endpoints/": async () => Object.assign(fixtures, await freshWebhook(deployment)),
};

async function restore(path: string): Promise<void> {
  const part = Object.keys(restores).find((each) => path.includes(each));
  assert.ok(part, `Nothing restores what DELETE ${path} deletes`);
  await restores[part]!();
}
