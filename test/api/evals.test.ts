/** Evals through the official SDK, from the definition to the output items. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type OpenAI from "openai";
import { type Deployment, deploy } from "../support/deployment.ts";
import { asking, contentOf, evalsOf, itemSchema, rightLabel } from "../support/evals.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addInference, addModel } from "../support/records.ts";
import { sdks } from "../support/sdks.ts";
import { addBase } from "../support/tinyCheckpoint.ts";

const host = fakeHost();
let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ host });
  model = (await addModel(deployment.stores, deployment.a)).id;
  await addBase(deployment.stores, "writer", { "config.json": "{}" });
  await addBase(deployment.stores, "heavy", { "config.json": "{}" });
  const heavy = (await deployment.stores.bases.get("heavy"))!;
  assert.ok(await deployment.stores.bases.replace({ ...heavy, heavy: true }, heavy.digest));
});
after(() => deployment.close());

const labelled = [
  { text: "so spam", label: "spam", lang: "en" },
  { text: "ham it is", label: "ham", lang: "en" },
  { text: "spam again", label: "ham", lang: "fr" },
];

for (const [version, Client] of Object.entries(sdks)) {
  describe(version, () => {
    test("an eval is created, retrieved, listed, renamed and deleted with its runs", async () => {
      const { client, make } = evalsOf(deployment, host, Client);
      const made = await make([rightLabel], { name: `of ${version}`, metadata: { team: "a" } });
      assert.match(made.id, /^eval_/);
      assert.deepEqual([made.object, made.name, made.metadata], ["eval", `of ${version}`, { team: "a" }]);
      assert.deepEqual(made.testing_criteria, [rightLabel]);
      const config = made.data_source_config as OpenAI.EvalCustomDataSourceConfig;
      assert.equal(config.type, "custom");
      assert.deepEqual((config.schema.properties as { item: object }).item, itemSchema);
      assert.deepEqual(config.schema.required, ["item", "sample"]);
      assert.deepEqual({ ...(await client.evals.retrieve(made.id)) }, { ...made });

      const second = await make();
      assert.equal(second.name, second.id);
      const renamed = await client.evals.update(made.id, { name: "other", metadata: null });
      assert.deepEqual([renamed.name, renamed.metadata, renamed.created_at], ["other", null, made.created_at]);
      const newest = await client.evals.list({ order: "desc", limit: 1 });
      assert.deepEqual([newest.data[0]!.id, newest.has_more], [second.id, true]);
      const found: string[] = [];
      for await (const each of client.evals.list({ limit: 1 })) found.push(each.id);
      assert.deepEqual(found, [...found].sort());
      assert.ok(found.includes(made.id) && found.includes(second.id));

      const run = await client.evals.runs.create(made.id, {
        data_source: { type: "jsonl", source: contentOf(labelled) },
      });
      const gone = await client.evals.delete(made.id);
      assert.deepEqual({ ...gone }, { object: "eval.deleted", deleted: true, eval_id: made.id });
      await assert.rejects(client.evals.retrieve(made.id), { status: 404 });
      await assert.rejects(client.evals.runs.retrieve(run.id, { eval_id: made.id }), { status: 404 });
    });

    test("a run asks a model about each item, grades what it says, and counts", async () => {
      const { client, make, work } = evalsOf(deployment, host, Client);
      const { id: eval_id } = await make();
      const run = await client.evals.runs.create(eval_id, {
        name: "first",
        metadata: { a: "b" },
        data_source: asking(model, labelled),
      });
      assert.match(run.id, /^evalrun_/);
      const { status, model: asked, name, report_url, error } = run;
      assert.deepEqual([status, asked, name, report_url, error], ["queued", model, "first", null, null]);
      assert.deepEqual(run.data_source, asking(model, labelled));
      assert.deepEqual(await work(run), { type: "done" });

      const done = await client.evals.runs.retrieve(run.id, { eval_id });
      assert.equal(done.status, "completed");
      assert.deepEqual(done.result_counts, { total: 3, passed: 2, failed: 1, errored: 0 });
      assert.deepEqual(done.per_testing_criteria_results, [
        { testing_criteria: "right", passed: 2, failed: 1, errored: 0 },
      ]);
      assert.deepEqual(done.per_model_usage, [
        {
          model_name: model,
          invocation_count: 3,
          prompt_tokens: 7,
          completion_tokens: 0,
          total_tokens: 7,
          cached_tokens: 0,
        },
      ]);
      const page = await client.evals.runs.outputItems.list(run.id, { eval_id });
      assert.deepEqual(
        page.data.map((item) => [item.datasource_item_id, item.status, item.sample.output[0]?.content]),
        [
          [0, "pass", "spam"],
          [1, "pass", "ham"],
          [2, "fail", "spam"],
        ],
      );
      const [first] = page.data;
      assert.match(first!.id, /^outputitem_/);
      assert.deepEqual(first!.datasource_item, labelled[0]);
      assert.deepEqual(first!.sample.input, [{ role: "user", content: "so spam" }]);
      assert.deepEqual(first!.results, [
        { name: "right", type: "string_check", score: 1, passed: true, sample: null, error: null },
      ]);
      const one = await client.evals.runs.outputItems.retrieve(first!.id, { eval_id, run_id: run.id });
      assert.deepEqual({ ...one }, { ...first });
      const failed = await client.evals.runs.outputItems.list(run.id, { eval_id, status: "fail" });
      assert.deepEqual(
        failed.data.map((item) => item.datasource_item_id),
        [2],
      );
      const back: number[] = [];
      for await (const item of client.evals.runs.outputItems.list(run.id, { eval_id, order: "desc", limit: 2 })) {
        back.push(item.datasource_item_id);
      }
      assert.deepEqual(back, [2, 1, 0]);
      assert.deepEqual(await work(run), { type: "done" }, "a message more changes nothing");
    });

    test("runs are listed, cancelled by either path, and deleted", async () => {
      const { client, make, work } = evalsOf(deployment, host, Client);
      const { id: eval_id } = await make();
      const data_source = asking(model, labelled);
      const [first, second] = [
        await client.evals.runs.create(eval_id, { data_source }),
        await client.evals.runs.create(eval_id, { data_source }),
      ];
      const cancelled = await client.evals.runs.cancel(first.id, { eval_id });
      assert.equal(cancelled.status, "canceled");
      assert.equal((await client.evals.runs.cancel(first.id, { eval_id })).status, "canceled", "twice is no error");
      assert.deepEqual(await work(first), { type: "done" });
      await work(second);
      await assert.rejects(client.evals.runs.cancel(second.id, { eval_id }), { status: 409, param: "run_id" });
      const listed = await client.evals.runs.list(eval_id, { order: "desc" });
      assert.deepEqual(
        listed.data.map(({ id, status }) => [id, status]),
        [
          [second.id, "completed"],
          [first.id, "canceled"],
        ],
      );
      assert.equal((await client.evals.runs.list(eval_id, { status: "completed" })).data.length, 1);
      const gone = await client.evals.runs.delete(second.id, { eval_id });
      assert.deepEqual({ ...gone }, { object: "eval.run.deleted", deleted: true, run_id: second.id });
      await assert.rejects(client.evals.runs.retrieve(second.id, { eval_id }), { status: 404 });
      const items = () =>
        deployment.stores.evalRuns.items({ project_id: deployment.a.project.id, id: second.id }, { limit: 9 });
      assert.equal((await items()).length, 3);
      await work(second);
      assert.deepEqual(await items(), []);
      assert.equal(await deployment.stores.evalRuns.get(deployment.a.project.id, second.id), undefined);
    });

    test("a grader is tried and checked on its own", async () => {
      const { client } = evalsOf(deployment, host, Client);
      const { graders } = client.fineTuning.alpha;
      const grader = { ...rightLabel };
      const tried = await graders.run({ grader, model_sample: "spam", item: { label: "spam" } });
      assert.deepEqual([tried.reward, tried.metadata.name, tried.metadata.token_usage], [1, "right", null]);
      const lacking = await graders.run({ grader, model_sample: "spam", item: {} });
      assert.deepEqual([lacking.reward, lacking.metadata.errors.invalid_variable_error], [0, true]);
      assert.deepEqual((await graders.validate({ grader })).grader, grader);
      await assert.rejects(graders.validate({ grader: { ...grader, input: "{{x}}" } }), { param: "grader.input" });
    });
  });
}

test("a grader's model is tried, told of by its tokens, and refused where it is too heavy to wait for", async () => {
  const { client } = evalsOf(deployment, host);
  const { graders } = client.fineTuning.alpha;
  const grader = { type: "score_model", name: "s", model: "heavy", input: [{ role: "user", content: "x" }] } as const;
  await assert.rejects(graders.run({ grader: { ...grader, input: [...grader.input] }, model_sample: "x" }), {
    status: 400,
    param: "grader.model",
  });
  const label = { type: "label_model", name: "l", model, input: [{ role: "user", content: "{{sample.output_text}}" }] };
  const multi = { type: "multi", name: "m", graders: { l: { ...label, labels: ["ham"], passing_labels: ["ham"] } } };
  const asked = { ...multi, calculate_output: "l / 2" } as unknown as typeof rightLabel;
  const used = async () => {
    const records = await Array.fromAsync(deployment.stores.usage.stream(deployment.a.project.id, 0, 1e10));
    const of = records.filter((record) => record.model === model && record.kind === "decisions");
    return of.reduce((sum, { requests, input_tokens }) => [sum[0]! + requests, sum[1]! + input_tokens], [0, 0]);
  };
  const before = await used();
  const tried = await graders.run({ grader: asked, model_sample: "three little words" });
  assert.deepEqual(await used(), [before[0]! + 1, before[1]! + 3]);
  assert.deepEqual([tried.reward, tried.sub_rewards, tried.metadata.token_usage], [0.5, { l: 1 }, 3]);
  assert.deepEqual(tried.model_grader_token_usage_per_model, { [model]: 3 });
});

test("an item that cannot be answered or graded is told of, and stops no other", async () => {
  const { client, make, work } = evalsOf(deployment, host);
  const { id: eval_id } = await make([
    rightLabel,
    { ...rightLabel, name: "other", reference: "{{item.lang}}", operation: "ne" },
  ]);
  const items = [
    { text: "spam", label: "spam" },
    { text: "ham", label: "ham", lang: "en" },
  ];
  const run = await client.evals.runs.create(eval_id, { data_source: asking(model, items) });
  await work(run);
  const done = await client.evals.runs.retrieve(run.id, { eval_id });
  assert.deepEqual([done.status, done.result_counts], ["completed", { total: 2, passed: 1, failed: 0, errored: 1 }]);
  assert.deepEqual(
    done.per_testing_criteria_results.map((each) => ({ ...each })),
    [
      { testing_criteria: "right", passed: 2, failed: 0, errored: 0 },
      { testing_criteria: "other", passed: 1, failed: 0, errored: 1 },
    ],
  );
  const [bad] = (await client.evals.runs.outputItems.list(run.id, { eval_id })).data;
  assert.equal(bad!.status, "error");
  const [, result] = bad!.results;
  assert.deepEqual(
    [result!.passed, result!.score, result!.error],
    [false, 0, { code: "invalid_variable", message: "There is no 'item.lang'." }],
  );
});

test("models answer by alias and by function, write by parameters, and read an item's own messages", async () => {
  const { client, make, work } = evalsOf(deployment, host);
  await client.post("/aliases", { body: { name: "prod", model } });
  const variants = [{ name: "first", model: "writer", parameters: { max_tokens: 1 } }];
  await client.post("/functions", { body: { name: "say", variants } });
  const { id: eval_id } = await make();
  const answersOf = async (data_source: object) => {
    const run = await client.evals.runs.create(eval_id, { data_source: data_source as ReturnType<typeof asking> });
    await work(run);
    const { data } = await client.evals.runs.outputItems.list(run.id, { eval_id });
    return data.map(({ sample }) => sample.output[0]?.content ?? sample.error.message);
  };
  const one = [{ text: "spam and ham and ham", label: "ham" }];
  assert.deepEqual(await answersOf(asking("alias:prod", one)), ["ham"]);
  assert.deepEqual(await answersOf(asking("fn:say", one)), ["spam"]);
  const params = { sampling_params: { max_completion_tokens: 2, temperature: 0 } };
  assert.deepEqual(await answersOf(asking("writer", one, params)), ["spam and"]);
  const text = { format: { type: "json_object" } };
  assert.deepEqual(await answersOf(asking("writer", one, { type: "responses", sampling_params: { text } })), ["{}"]);
  const turns = [
    { text: "", turns: [{ role: "user", content: "one two" }] },
    { text: "", turns: "none" },
  ];
  const reference = { input_messages: { type: "item_reference", item_reference: "item.turns" } };
  assert.deepEqual(await answersOf(asking("writer", turns, reference)), [
    "one two",
    "'item.turns' is no list of messages with a role and a text each.",
  ]);
});

test("items come of a file, of stored completions and of recorded responses", async () => {
  const { client, make, work, upload } = evalsOf(deployment, host);
  const eval_id = (await make()).id;
  const lines = labelled.map((item) => ({ item, sample: { output_text: item.label } }));
  const run = await client.evals.runs.create(eval_id, {
    data_source: { type: "jsonl", source: { type: "file_id", id: await upload(lines) } },
  });
  await work(run);
  const done = await client.evals.runs.retrieve(run.id, { eval_id });
  assert.deepEqual([done.model, done.result_counts.passed, done.per_model_usage], [null, 3, []]);

  const say = (content: string, metadata = { use: "eval" }) =>
    client.chat.completions.create({ model: "writer", messages: [{ role: "user", content }], store: true, metadata });
  for (const content of ["one", "two words"]) await say(content);
  await say("three", { use: "other" });
  const ofStored = await client.evals.create({
    data_source_config: { type: "stored_completions", metadata: { use: "eval" } },
    testing_criteria: [{ ...rightLabel, reference: "one" }],
  });
  const source = { type: "stored_completions" as const };
  const outputs = async (data_source: object) => {
    const { id } = await client.evals.runs.create(ofStored.id, {
      data_source: data_source as ReturnType<typeof asking>,
    });
    await work({ id });
    const { data } = await client.evals.runs.outputItems.list(id, { eval_id: ofStored.id });
    return data.map(({ sample, status }) => [sample.output[0]?.content, status]);
  };
  assert.deepEqual(await outputs({ type: "completions", source }), [
    ["two words", "fail"],
    ["one", "pass"],
  ]);
  const again = {
    type: "completions",
    source: { ...source, limit: 1 },
    model: "writer",
    input_messages: { type: "item_reference", item_reference: "item.input" },
  };
  assert.deepEqual(await outputs(again), [["two words", "fail"]]);

  const input = { model: "writer", input: "one", instructions: "Echo." };
  const output = { output: [{ type: "message", content: [{ type: "output_text", text: "one" }] }] };
  await addInference(deployment.stores, deployment.a, { endpoint: "/v1/responses", model: "writer", input, output });
  await addInference(deployment.stores, deployment.a, { endpoint: "/v1/responses", model: "writer" });
  const recorded = { type: "responses", source: { type: "responses", model: "writer" } };
  assert.deepEqual(await outputs(recorded), [], "without the eval's labels there is none");
  const unlabelled = {
    data_source_config: { type: "logs", schema: {} },
    testing_criteria: [{ ...rightLabel, reference: "one" }],
  };
  ofStored.id = (await client.evals.create(unlabelled as OpenAI.EvalCreateParams)).id;
  assert.deepEqual(await outputs(recorded), [["one", "pass"]]);
});

test("a file's faults fail the run, naming the line", async () => {
  const { client, make, work, upload } = evalsOf(deployment, host);
  const { id: eval_id } = await make();
  const good = JSON.stringify({ item: { text: "x" } });
  const cases = {
    [`${good}\n{`]: "Line 2 of the file is no JSON.",
    [`\n${JSON.stringify({ item: 7 })}`]: "Line 2 of the file is no item: Invalid type for 'item'",
    [JSON.stringify({ item: { text: 7 } })]: "Line 1 of the file does not fit the eval's schema at 'item.text'",
    "\n\n": "The source holds no item.",
  };
  for (const [text, message] of Object.entries(cases)) {
    const source = { type: "file_id" as const, id: await upload(text) };
    const run = await client.evals.runs.create(eval_id, { data_source: { type: "jsonl", source } });
    assert.deepEqual(await work(run), { type: "done" });
    const { status, error } = await client.evals.runs.retrieve(run.id, { eval_id });
    assert.deepEqual([status, error.code], ["failed", "invalid_file"]);
    assert.ok(error.message.startsWith(message), error.message);
  }
});

test("every bad eval and run names the field at fault", async () => {
  const { client, make } = evalsOf(deployment, host);
  const { id: eval_id } = await make();
  const python = { type: "python", name: "p", source: "def grade(): pass" };
  const labels = {
    type: "label_model",
    name: "l",
    model,
    input: [{ role: "user", content: "x" }],
    labels: ["a"],
    passing_labels: ["b"],
  };
  const multi = { type: "multi", name: "m", graders: { a: rightLabel }, calculate_output: "a + b" };
  const bad: [object[], string, RegExp?][] = [
    [[python], "testing_criteria[0].type", /no code of a client is run here; use string_check/],
    [[{ ...multi, graders: { a: python } }], "testing_criteria[0].graders.a.type"],
    [[{ ...rightLabel, reference: "{{label}}" }], "testing_criteria[0].reference", /'\{\{label\}\}' is no variable/],
    [[rightLabel, { ...rightLabel, operation: "is" }], "testing_criteria[1].operation"],
    [[labels], "testing_criteria[0].passing_labels"],
    [
      [{ ...labels, passing_labels: ["a"], input: [{ role: "user", content: "{{a}}" }] }],
      "testing_criteria[0].input[0].content",
    ],
    [[multi], "testing_criteria[0].calculate_output", /'b' is none of the graders, which are a/],
    [[{ ...multi, calculate_output: "a +" }], "testing_criteria[0].calculate_output", /it ends too early/],
    [
      [{ type: "text_similarity", name: "t", input: "", reference: "", evaluation_metric: "bleu" }],
      "testing_criteria[0].pass_threshold",
    ],
    [[], "testing_criteria"],
  ];
  for (const [criteria, param, message = /./] of bad) {
    await assert.rejects(make(criteria), { status: 400, param, message }, JSON.stringify(criteria));
  }
  const config = { data_source_config: { type: "custom", item_schema: { type: "objekt" } } };
  await assert.rejects(make([rightLabel], config), { status: 400, param: "data_source_config.item_schema" });

  const stranger = await addModel(deployment.stores, deployment.b);
  const runs: [object, number, string][] = [
    [asking("nobody", labelled), 404, "data_source.model"],
    [asking("fn:nobody", labelled), 404, "data_source.model"],
    [asking(stranger.id, labelled), 404, "data_source.model"],
    [asking("millrace-ngram", labelled), 400, "data_source.model"],
    [asking(model, labelled, { model: undefined }), 400, "data_source.input_messages"],
    [asking(model, [{ text: 1 }]), 400, "data_source.source.content[0].item.text"],
    [asking(model, [labelled[0]!, { label: "x" }]), 400, "data_source.source.content[1].item.text"],
    [{ type: "jsonl", source: { type: "file_id", id: "file-x" } }, 400, "data_source.source.id"],
    [
      asking(model, labelled, { input_messages: { type: "template", template: [{ role: "user", content: "{{y}}" }] } }),
      400,
      "data_source.input_messages.template[0].content",
    ],
  ];
  for (const [data_source, status, param] of runs) {
    const body = { data_source } as OpenAI.Evals.RunCreateParams;
    await assert.rejects(client.evals.runs.create(eval_id, body), { status, param }, JSON.stringify(data_source));
  }
  const other = await make([{ ...labels, model: "nobody", passing_labels: ["a"] }]);
  await assert.rejects(client.evals.runs.create(other.id, { data_source: asking(model, labelled) }), {
    status: 404,
    param: "testing_criteria[0].model",
  });
});
