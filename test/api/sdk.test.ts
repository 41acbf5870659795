/** Every call a fine-tuning client makes, through the official SDK in both versions. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { toFile } from "openai";
import type { Decision } from "../../shared/schemas/decision.ts";
import { createTenant, type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addCheckpoint, addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy({ host: fakeHost() });
});
after(() => deployment.close());

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    const connect = (apiKey = deployment.keys.a) => new OpenAI({ apiKey, baseURL: deployment.baseURL, maxRetries: 0 });
    const upload = async (name = "rows.jsonl", content = '{"text":"a","label":"ham"}\n') =>
      connect().files.create({ file: await toFile(Buffer.from(content), name), purpose: "fine-tune" });
    const createJob = async (metadata?: Record<string, string>) =>
      connect().fineTuning.jobs.create({ model: "millrace-ngram", training_file: (await upload()).id, metadata });

    test("files: create, retrieve, wait, list, download, delete", async () => {
      const client = connect();
      const created = await client.files.create({
        file: await toFile(Buffer.from("a\tb\n"), "Größe 表.tsv"),
        purpose: "fine-tune",
        expires_after: { anchor: "created_at", seconds: 3600 },
      });
      const { id, bytes, filename, purpose, status, object } = created;
      assert.deepEqual([bytes, filename, purpose, status], [4, "Größe 表.tsv", "fine-tune", "processed"]);
      assert.equal(object, "file");
      assert.equal(created.expires_at, created.created_at + 3600);
      assert.deepEqual({ ...(await client.files.retrieve(id)) }, { ...created });
      assert.equal((await client.files.waitForProcessing(id, { pollInterval: 1 })).id, id);
      const listed = await client.files.list({ purpose: "fine-tune", limit: 1 });
      assert.equal(listed.data[0]?.id, id);
      const content = await client.files.content(id);
      assert.equal(await content.text(), "a\tb\n");
      assert.equal((await client.files.delete(id)).deleted, true);
      await assert.rejects(client.files.retrieve(id), OpenAI.NotFoundError);
    });

    test("files: auto-pagination visits each once, in either order", async () => {
      const client = connect((await createTenant(deployment.stores, "paging")).key);
      for (const name of ["1.jsonl", "2.jsonl", "3.jsonl"]) {
        await client.files.create({ file: await toFile(Buffer.from("{}\n"), name), purpose: "fine-tune" });
      }
      for (const order of ["asc", "desc"] as const) {
        const names: string[] = [];
        for await (const file of client.files.list({ limit: 2, order })) names.push(file.filename);
        assert.deepEqual(
          names
            .slice(order === "asc" ? -3 : 0)
            .slice(0, 3)
            .sort(),
          ["1.jsonl", "2.jsonl", "3.jsonl"],
        );
        assert.equal(new Set(names).size === names.length || names.length % 3 === 0, true);
      }
    });

    test("jobs: create, retrieve, pause, resume, cancel", async () => {
      const client = connect();
      const training_file = (await upload()).id;
      const validation_file = (await upload()).id;
      const job = await client.fineTuning.jobs.create({
        model: "millrace-ngram",
        training_file,
        validation_file,
        suffix: "my model",
        seed: 7,
        method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 3, batch_size: "auto" } } },
        metadata: { team: "a b" },
      });
      assert.deepEqual(
        [job.object, job.status, job.model, job.training_file, job.validation_file, job.seed, job.metadata],
        ["fine_tuning.job", "validating_files", "millrace-ngram", training_file, validation_file, 7, { team: "a b" }],
      );
      assert.deepEqual(job.hyperparameters, { n_epochs: 3, batch_size: "auto", learning_rate_multiplier: "auto" });
      assert.deepEqual(job.method?.supervised?.hyperparameters, job.hyperparameters);
      assert.equal(job.organization_id, deployment.a.project.organization_id);
      assert.deepEqual({ ...(await client.fineTuning.jobs.retrieve(job.id)) }, { ...job });
      assert.equal(String((await client.fineTuning.jobs.pause(job.id)).status), "paused");
      assert.equal((await client.fineTuning.jobs.resume(job.id)).status, "validating_files");
      const cancelled = await client.fineTuning.jobs.cancel(job.id);
      assert.equal(cancelled.status, "cancelled");
      assert.ok(cancelled.finished_at);
    });

    test("jobs: auto-pagination, newest first, and metadata filters", async () => {
      const client = connect();
      const team = `team-${version}`;
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift((await createJob({ team, half: i < 2 ? "first" : "second" })).id);
      const listIds = async (metadata: Record<string, string>) => {
        const found: string[] = [];
        for await (const job of client.fineTuning.jobs.list({ limit: 2, metadata })) found.push(job.id);
        return found;
      };
      assert.deepEqual(await listIds({ team }), ids);
      assert.deepEqual(await listIds({ team, half: "first" }), ids.slice(3));
      assert.deepEqual(await listIds({ team: "nobody" }), []);
      const all: string[] = [];
      for await (const job of client.fineTuning.jobs.list({ limit: 2 })) all.push(job.id);
      assert.equal(new Set(all).size, all.length);
      assert.ok(ids.every((id) => all.includes(id)));
    });

    test("jobs: events and checkpoints page, newest first", async () => {
      const client = connect();
      const job = await createJob();
      await client.fineTuning.jobs.pause(job.id);
      await client.fineTuning.jobs.resume(job.id);
      const messages: string[] = [];
      for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 1 })) messages.push(event.message);
      assert.deepEqual(messages, ["Job resumed", "Job paused", `Created fine-tuning job: ${job.id}`]);
      for (const step of [10, 20, 30]) await addCheckpoint(deployment.stores, deployment.a, job.id, step);
      const steps: number[] = [];
      for await (const checkpoint of client.fineTuning.jobs.checkpoints.list(job.id, { limit: 2 })) {
        steps.push(checkpoint.step_number);
        assert.deepEqual(Object.keys(checkpoint).sort(), [
          "created_at",
          "fine_tuned_model_checkpoint",
          "fine_tuning_job_id",
          "id",
          "metrics",
          "object",
          "step_number",
        ]);
      }
      assert.deepEqual(steps, [30, 20, 10]);
    });

    test("models: list, retrieve and delete, base models and one's own", async () => {
      const client = connect();
      const { id, object_key } = await addModel(deployment.stores, deployment.a);
      const ids: string[] = [];
      for await (const model of client.models.list()) ids.push(model.id);
      assert.ok(ids.includes("millrace-ngram") && ids.includes(id));
      assert.deepEqual({ ...(await client.models.retrieve(id)) }.owned_by, deployment.a.project.organization_id);
      assert.equal((await client.models.retrieve("millrace-ngram")).owned_by, "millrace");
      assert.deepEqual({ ...(await client.models.delete(id)) }, { id, object: "model", deleted: true });
      await assert.rejects(client.models.retrieve(id), OpenAI.NotFoundError);
      assert.equal(await deployment.stores.objects.get(object_key), undefined);
      await assert.rejects(client.models.delete("millrace-ngram"), OpenAI.PermissionDeniedError);
    });

    test("decisions: choice, predicate and refusal", async () => {
      const client = connect();
      const { id: model, digest } = await addModel(deployment.stores, deployment.a);
      const body = {
        model,
        input: "spam spam, eggs and spam",
        questions: [
          { type: "choice", name: "kind", instructions: "Which?", choices: [{ value: "spam" }, { value: "ham" }] },
          { type: "predicate", instructions: "spam" },
        ],
      } as const;
      const { data, response } = await client.post<Decision>("/decisions", { body }).withResponse();
      const [choice, predicate] = data.answers;
      assert.ok(choice?.type === "choice" && predicate?.type === "predicate");
      assert.deepEqual([choice.name, choice.choice], ["kind", "spam"]);
      assert.ok(Math.abs(choice.confidence - 28 / 29) < 1e-9);
      assert.deepEqual([predicate.name, predicate.probability], [null, choice.confidence]);
      assert.deepEqual([data.usage.input_tokens, data.usage.total_tokens], [5, 5]);
      assert.equal(response.headers.get("x-millrace-model-digest"), digest);
      const unknown = await client.post<Decision>("/decisions", { body: { ...body, input: "12345 !!" } });
      assert.deepEqual(unknown.answers, [
        { type: "refusal", name: "kind" },
        { type: "refusal", name: null },
      ]);
    });

    test("errors have the class of their status, and carry code, type, param and request id", async () => {
      const stranger = connect("sk-nobody");
      const client = connect();
      const job = await createJob();
      await deployment.stores.jobs.transition({ project_id: deployment.a.project.id, id: job.id }, "failed", {
        level: "error",
        message: "x",
      });
      const wrong = { model: "no-such-model", training_file: job.training_file };
      const cases = [
        [OpenAI.AuthenticationError, 401, "invalid_api_key", null, () => stranger.models.list()],
        [OpenAI.PermissionDeniedError, 403, "permission_denied", "model", () => client.models.delete("millrace-ngram")],
        [OpenAI.NotFoundError, 404, "not_found", "id", () => client.files.retrieve("file-nope")],
        [OpenAI.NotFoundError, 404, "model_not_found", "model", () => client.fineTuning.jobs.create(wrong)],
        [OpenAI.ConflictError, 409, "invalid_state", "id", () => client.fineTuning.jobs.cancel(job.id)],
        [OpenAI.BadRequestError, 400, "invalid_value", "limit", () => client.files.list({ limit: -1 })],
      ] as const;
      for (const [errorClass, status, code, param, call] of cases) {
        const error = await Promise.resolve(call()).then(
          () => assert.fail(`${code} was expected`),
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof errorClass, String(error));
        assert.deepEqual([error.status, error.code, error.param], [status, code, param]);
        assert.ok(error.type);
        assert.match(String(error.requestID), /^req_/);
      }
    });

    test("answers carry _request_id", async () => {
      assert.match(String((await connect().models.retrieve("millrace-ngram"))._request_id), /^req_/);
    });
  });
}

test("decisions.create of the newer SDK is the same call", async () => {
  const { id: model } = await addModel(deployment.stores, deployment.a);
  const decision = await deployment.client().decisions.create({
    model,
    input: [
      { role: "system", content: "Ham or spam?" },
      { role: "user", content: [{ type: "input_text", text: "ham" }] },
    ],
    questions: [{ type: "choice", instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }],
    safety_identifier: "user-1",
    prompt_cache_key: "k",
    prompt_cache_options: { mode: "implicit", ttl: "30m" },
  });
  assert.equal(decision.answers[0]?.type === "choice" && decision.answers[0].choice, "ham");
});
