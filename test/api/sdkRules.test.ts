/** The rules that the official SDK imposes on a server, as far as they touch what we serve, with both its versions. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { type ClientOptions, toFile } from "openai";
import { ApiError } from "../../shared/errors.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";

type Fetch = NonNullable<ClientOptions["fetch"]>;

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host: fakeHost() });
});
after(() => deployment.close());

/** Requests as they went over the wire, and their answers. */
function recorder(interfere: (call: number, answer: Response) => Response | Promise<Response> = (_, answer) => answer) {
  const calls: { url: string; method: string; headers: Headers; status: number }[] = [];
  const recording: Fetch = async (input, init) => {
    const answer = await fetch(input as string, init as RequestInit);
    const headers = new Headers((init as RequestInit | undefined)?.headers);
    calls.push({ url: String(input), method: init?.method ?? "GET", headers, status: answer.status });
    return interfere(calls.length, answer) as never;
  };
  return { calls, fetch: recording };
}

const unavailable = () =>
  Response.json({ error: { message: "x" } }, { status: 503, headers: { "retry-after-ms": "1" } });

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    const connect = (options: ClientOptions = {}) =>
      new OpenAI({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, ...options });
    const upload = async (content: string | Buffer = "{}\n") =>
      connect().files.create({ file: await toFile(Buffer.from(content), "a.jsonl"), purpose: "fine-tune" });
    const jobCount = async () => (await deployment.stores.jobs.list(deployment.a.project.id, { limit: 1000 })).length;

    test("2: errors are wrapped, so that message, code, type and param reach the client", async () => {
      const error = await connect({ maxRetries: 0 })
        .files.retrieve("file-x")
        .catch((thrown) => thrown);
      assert.equal(error.message, "404 No such file: 'file-x'.");
      assert.deepEqual([error.code, error.type, error.param], ["not_found", "not_found_error", "id"]);
    });

    test("3: a status is an error class", async () => {
      const client = connect({ maxRetries: 0 });
      await assert.rejects(connect({ apiKey: "x" }).models.list(), OpenAI.AuthenticationError);
      await assert.rejects(client.models.delete("millrace-ngram"), OpenAI.PermissionDeniedError);
      await assert.rejects(client.files.retrieve("x"), OpenAI.NotFoundError);
      await assert.rejects(client.files.list({ limit: 0 }), OpenAI.BadRequestError);
    });

    test("4: a conflict that does not mend itself is not retried", async () => {
      const job = await connect().fineTuning.jobs.create({
        model: "millrace-ngram",
        training_file: (await upload()).id,
      });
      await connect().fineTuning.jobs.cancel(job.id);
      const { calls, fetch } = recorder();
      await assert.rejects(connect({ fetch }).fineTuning.jobs.pause(job.id), OpenAI.ConflictError);
      assert.deepEqual(
        calls.map(({ status }) => status),
        [409],
      );
    });

    test("6: a retry after a lost answer makes no second job", async () => {
      const training_file = (await upload()).id;
      const jobs = await jobCount();
      const { calls, fetch } = recorder((call, answer) => (call === 1 ? unavailable() : answer));
      const job = await connect({ fetch }).fineTuning.jobs.create({ model: "millrace-ngram", training_file });
      assert.deepEqual(
        calls.map(({ headers }) => headers.get("x-stainless-retry-count")),
        ["0", "1"],
      );
      assert.equal(await jobCount(), jobs + 1);
      const again = await connect().fineTuning.jobs.create({ model: "millrace-ngram", training_file });
      assert.notEqual(again.id, job.id, "asking anew makes a new job");
    });

    test("6: an explicit Idempotency-Key makes one job, and refuses another body", async () => {
      const training_file = (await upload()).id;
      const headers = { "Idempotency-Key": `key of ${version}` };
      const create = (seed: number) =>
        connect().fineTuning.jobs.create({ model: "millrace-ngram", training_file, seed }, { headers });
      const [first, second] = await Promise.all([create(1), create(1)]);
      assert.equal(first.id, second.id);
      await assert.rejects(create(2), { status: 422, code: "idempotency_key_reused", param: "Idempotency-Key" });
    });

    test("7: x-request-id is _request_id on answers and requestID on errors", async () => {
      const { _request_id } = await connect().models.retrieve("millrace-ngram");
      assert.match(String(_request_id), /^req_/);
      const error = await connect()
        .models.retrieve("nope")
        .catch((thrown) => thrown);
      assert.match(error.requestID, /^req_/);
    });

    test("8: paging takes the last id as `after` and ends with has_more", async () => {
      for (let i = 0; i < 3; i++) await upload();
      const { calls, fetch } = recorder();
      let files = 0;
      for await (const _ of connect({ fetch }).files.list({ limit: 2 })) files++;
      assert.equal(calls.length, Math.ceil(files / 2));
      const models = recorder();
      for await (const _ of connect({ fetch: models.fetch }).models.list());
      assert.equal(models.calls.length, 1);
    });

    test("9: metadata filters come as metadata[key]=value, and as metadata=null", async () => {
      const training_file = (await upload()).id;
      const create = (metadata: Record<string, string> | null) =>
        connect().fineTuning.jobs.create({ model: "millrace-ngram", training_file, metadata });
      const labelled = await create({ "a b[c]&.": "x = y" });
      const bare = await create(null);
      const { calls, fetch } = recorder();
      const found = await connect({ fetch }).fineTuning.jobs.list({ metadata: { "a b[c]&.": "x = y" }, limit: 1 });
      assert.match(calls[0]!.url, /metadata%5B|metadata\[/);
      assert.equal(found.data[0]?.id, labelled.id);
      const without = await connect().get<{ data: { id: string }[] }>("/fine_tuning/jobs?metadata=null&limit=1");
      assert.equal(without.data[0]?.id, bare.id);
    });

    test("10: a model's colons stay one path segment, encoded or not", async () => {
      const { id } = await addModel(deployment.stores, deployment.a);
      const { calls, fetch } = recorder();
      assert.equal((await connect({ fetch }).models.retrieve(id)).id, id);
      assert.ok(calls[0]!.url.endsWith(`/models/${id}`));
      const encoded = await deployment.fetch(`/v1/models/${encodeURIComponent(id)}`);
      assert.equal(((await encoded.json()) as { id: string }).id, id);
      await assert.rejects(connect().models.retrieve("org/model v2"), OpenAI.NotFoundError);
    });

    test("15: polling and beta headers are no obstacle", async () => {
      const headers = { "x-stainless-poll-helper": "true", "openai-beta": "assistants=v2" };
      assert.equal((await connect().models.retrieve("millrace-ngram", { headers })).id, "millrace-ngram");
    });

    test("16: waitForProcessing ends", async () => {
      const { id } = await upload();
      const file = await connect().files.waitForProcessing(id, { pollInterval: 1, maxWait: 1000 });
      assert.equal(file.status, "processed");
    });

    test("17: a large file's content is a redirect to the bucket, which gets no key of ours", async () => {
      const content = Buffer.alloc(4 * 1024 * 1024 + 1, "a line of text\n");
      const { id } = await upload(content);
      const redirect = await deployment.fetch(`/v1/files/${id}/content`, { redirect: "manual" });
      assert.equal(redirect.status, 302);
      assert.notEqual(new URL(redirect.headers.get("location")!).origin, deployment.origin);
      const downloaded = Buffer.from(await (await connect().files.content(id)).arrayBuffer());
      assert.ok(downloaded.equals(content));
      const small = await upload("{}\n");
      const streamed = await deployment.fetch(`/v1/files/${small.id}/content`, { redirect: "manual" });
      assert.equal(streamed.status, 200);
    });

    test("18: a multipart body re-sent by a redirect arrives whole", async () => {
      const redirecting = createServer((request, response) => {
        request.resume().on("end", () => {
          response.writeHead(307, { location: `${deployment.origin}${request.url}` }).end();
        });
      });
      redirecting.listen(0, "127.0.0.1");
      await once(redirecting, "listening");
      const origin = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/v1`;
      // The key is dropped on the way to another origin; without a token in its link the upload must be refused whole.
      const file = await toFile(Buffer.alloc(2_000_000, "x"), "a.jsonl");
      const refused = connect({ baseURL: origin, maxRetries: 0 }).files.create({ file, purpose: "fine-tune" });
      await assert.rejects(refused, OpenAI.AuthenticationError);
      redirecting.close();
    });

    test("19: the SDK's headers pass CORS, and openai-project must be the key's", async () => {
      const { calls, fetch } = recorder();
      await connect({ fetch }).models.list();
      const names = [...calls[0]!.headers.keys()];
      assert.ok(names.some((name) => name.startsWith("x-stainless-")));
      const preflight = await deployment.fetch("/v1/models", {
        method: "OPTIONS",
        key: null,
        headers: {
          origin: "https://app.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": names.join(","),
        },
      });
      assert.equal(preflight.status, 204);
      const allowed = preflight.headers.get("access-control-allow-headers")!.split(",");
      assert.deepEqual(
        names.filter((name) => !allowed.includes(name)),
        [],
      );
      const exposed = (await deployment.fetch("/v1/models")).headers.get("access-control-expose-headers");
      assert.match(exposed!, /x-request-id/);
      await connect({ organization: "org-whatever", project: deployment.a.project.id }).models.list();
      const mismatched = connect({ project: deployment.b.project.id }).models.list();
      await assert.rejects(mismatched, { status: 401, code: "mismatched_project" });
    });
  });
}

test("5: too busy answers 503 with a retry-after that the SDK obeys", async () => {
  const classify = async () => {
    throw new ApiError("overloaded", "Too many at once.");
  };
  const busy = await deploy({ host: { ...fakeHost(), classify } });
  const { id: model } = await addModel(busy.stores, busy.a);
  const body = JSON.stringify({ model, input: "x", questions: [{ type: "predicate", instructions: "ham" }] });
  const headers = { "content-type": "application/json" };
  const response = await busy.fetch("/v1/decisions", { method: "POST", body, headers });
  await busy.close();
  assert.equal(response.status, 503);
  const seconds = Number(response.headers.get("retry-after"));
  assert.ok(seconds > 0 && seconds <= 60);
  assert.equal(response.headers.get("x-should-retry"), null);
});
