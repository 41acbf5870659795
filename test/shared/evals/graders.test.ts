/** Graders held against items: what each gives, by models that answer with labels, numbers and JSON. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ApiError } from "../../../shared/errors.ts";
import { checkGrader } from "../../../shared/evals/checkGraders.ts";
import { type Grading, gradeBy, resultOf } from "../../../shared/evals/graders.ts";
import { Grader } from "../../../shared/schemas/evalGrader.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import type { TextRequest } from "../../../shared/serving/generation.ts";
import { fakeHost } from "../../support/fakeHost.ts";

const host = fakeHost();
const seen: TextRequest[] = [];
/** What the model that writes says next. */
let written = "";
const content = { digest: "d", files: [] };
const models: Record<string, object> = {
  writer: { id: "writer", architecture: "pretrained", ...content },
  tuned: { id: "tuned", project_id: "p" },
  stars: { id: "stars", project_id: "p" },
  judge: { id: "judge", project_id: "p" },
  table: { id: "table", project_id: "p", columns: [{ name: "age", kind: "number" }] },
  "millrace-embed-en": { id: "millrace-embed-en", architecture: "pretrained", ...content },
};

before(() => {
  host.labels.set("stars", ["1", "2", "3"]);
  host.labels.set("judge", ["yes", "no"]);
  host.generate = async (_, request) => {
    seen.push(request);
    async function* pieces() {
      yield { text: written, tokens: [], finishReason: "stop" as const };
    }
    return { promptTokens: 4, pieces: pieces() };
  };
});

const callable = async (_: unknown, name: string) => models[name] as unknown as ModelRecord;
const grading: Grading = {
  context: { host, models: { callable } as unknown as Grading["context"]["models"] },
  named: {
    async find(_, name) {
      if (!models[name]) throw new ApiError("model_not_found", `No such model: '${name}'.`, { param: "model" });
      return { model: await callable(_, name), variant: null };
    },
  },
  project: { id: "p" } as Grading["project"],
  signal: new AbortController().signal,
  patiently: (ask) => ask(),
  report: (error) => {
    throw error;
  },
  variables: { item: { label: "Ham", age: 7, text: "spam spam" }, sample: { output_text: "ham and eggs" } },
};

const grade = (grader: object) => gradeBy(Grader.parse({ name: "g", ...grader }) as never, grading);
const input = [{ role: "user", content: "{{item.text}}" }];

test("a model that cannot be looked up just now is looked up again, for grading and for vectors", async () => {
  let failures = 0;
  const twice: Grading = {
    ...grading,
    named: {
      async find(project, name) {
        if (failures++ % 2 === 0) throw new Error("the table does not answer");
        return grading.named.find(project, name);
      },
    },
    patiently: async (ask) => ask().catch(ask),
  };
  const graders = [
    { type: "label_model", model: "judge", input, labels: ["yes", "no"], passing_labels: ["no"] },
    { type: "text_similarity", evaluation_metric: "cosine", input: "a", reference: "a" },
  ];
  for (const grader of graders) {
    const { score } = await gradeBy(Grader.parse({ name: "g", ...grader }) as never, twice);
    assert.ok(score !== null && Number.isFinite(score));
  }
  assert.equal(failures, 4);
});

test("strings are compared as their operation says", async () => {
  const check = async (operation: string, text: string, reference: string) =>
    (await grade({ type: "string_check", operation, input: text, reference })).score;
  assert.deepEqual([await check("eq", "a", "a"), await check("eq", "a", "A")], [1, 0]);
  assert.deepEqual([await check("ne", "a", "a"), await check("ne", "a", "A")], [0, 1]);
  assert.deepEqual(
    [await check("like", "{{sample.output_text}}", "ham"), await check("like", "a", "{{item.label}}")],
    [1, 0],
  );
  assert.deepEqual(
    [await check("like", "ham", "{{item.label}}"), await check("ilike", "ham", "{{item.label}}")],
    [0, 1],
  );
});

test("a similarity passes from its threshold on, and vectors are compared by a model", async () => {
  const similar = (changes: object) =>
    grade({
      type: "text_similarity",
      input: "{{sample.output_text}}",
      reference: "ham and eggs!",
      evaluation_metric: "rouge_l",
      ...changes,
    });
  assert.deepEqual(await similar({ pass_threshold: 1 }), { score: 1, passed: true });
  const fuzzy = await similar({ evaluation_metric: "fuzzy_match", pass_threshold: 0.99 });
  assert.deepEqual([fuzzy.score, fuzzy.passed], [24 / 25, false]);
  const cosine = await similar({ evaluation_metric: "cosine", reference: "eggs and ham", pass_threshold: 0.99 });
  assert.ok(Math.abs(cosine.score - 1) < 1e-6 && cosine.passed, "the same letters");
  const endless = { input: "x".repeat(50_001), pass_threshold: 1 };
  await assert.rejects(similar(endless), { code: "text_too_long" });
  assert.deepEqual(cosine.uses, [{ model: "millrace-embed-en", input_tokens: 24, output_tokens: 0 }]);
});

test("a model grades by a label: its own, or one that it is held to write", async () => {
  const label = (changes: object) =>
    grade({
      type: "label_model",
      model: "tuned",
      input,
      labels: ["spam", "ham"],
      passing_labels: ["spam"],
      ...changes,
    });
  const tuned = await label({});
  assert.deepEqual([tuned.score, tuned.passed], [1, true]);
  assert.deepEqual(tuned.uses, [{ model: "tuned", input_tokens: 2, output_tokens: 0 }]);
  assert.deepEqual((tuned.sample as { output: unknown }).output, [{ role: "assistant", content: "spam" }]);
  const some = await label({ labels: ["ham", "other"], passing_labels: ["ham"] });
  assert.equal(some.passed, true, "the likeliest of those that are asked for");
  await assert.rejects(label({ labels: ["other"], passing_labels: ["other"] }), { code: "unknown_label" });

  written = '{"label":"ham"}';
  const wrote = await label({ model: "writer" });
  assert.deepEqual([wrote.score, wrote.passed, wrote.uses![0]!.input_tokens], [0, false, 4]);
  const { json } = seen.at(-1)!;
  const { properties } = (json as { schema: { properties: Record<string, unknown> } }).schema;
  assert.deepEqual(properties, { label: { type: "string", enum: ["spam", "ham"] } });
  written = '{"label":"sp';
  await assert.rejects(label({ model: "writer" }), { code: "unreadable_answer" });
});

test("a model grades by a score: of numbers, of yes and no, or written", async () => {
  const score = (changes: object) => grade({ type: "score_model", model: "stars", input, range: [1, 3], ...changes });
  assert.ok(Math.abs((await score({})).score - 2) < 1e-9, "no star is likelier than another");
  assert.equal((await score({})).passed, true, "from the middle on");
  assert.equal(
    (await score({ pass_threshold: null, sampling_params: null })).passed,
    true,
    "null is as good as absent",
  );
  assert.equal((await score({ pass_threshold: 2.5 })).passed, false);
  const sure = await score({ model: "judge", range: [0, 10], input: [{ role: "user", content: "yes" }] });
  assert.ok(Math.abs(sure.score - 100 / 11) < 1e-9, `${sure.score}`);
  await assert.rejects(score({ range: [5, 6] }), { code: "invalid_score" });
  await assert.rejects(score({ model: "tuned" }), { code: "unknown_label" });
  written = '{"score":2.5}';
  const sampling_params = { max_completions_tokens: 9, temperature: 0, seed: 3 };
  const wrote = await score({ model: "writer", sampling_params });
  assert.deepEqual([wrote.score, wrote.passed], [2.5, true]);
  const { maxTokens, temperature, seed } = seen.at(-1)!;
  assert.deepEqual([maxTokens, temperature, seed], [9, 0, 3]);
  written = '{"score":4}';
  await assert.rejects(score({ model: "writer" }), { code: "invalid_score" });
});

test("several graders come to one score by a formula", async () => {
  const exact = { type: "string_check", name: "n", input: "a", reference: "a", operation: "eq" };
  const near = { type: "text_similarity", name: "n", input: "a b", reference: "a c", evaluation_metric: "rouge_1" };
  const label = {
    type: "label_model",
    name: "n",
    model: "tuned",
    input,
    labels: ["spam", "ham"],
    passing_labels: ["ham"],
  };
  const multi = (graders: object, calculate_output: string) => grade({ type: "multi", graders, calculate_output });
  const found = await multi({ exact, near, label }, "0.5 * exact + near / 2 - label");
  assert.deepEqual([found.score, found.passed, found.sub_scores], [0.75, true, { exact: 1, near: 0.5, label: 0 }]);
  assert.deepEqual(
    found.uses!.map(({ model }) => model),
    ["tuned"],
  );
  assert.equal((await multi({ ...exact, name: "alone" }, "alone / 4")).score, 0.25, "one by its own name");
  await assert.rejects(multi({ exact, near }, "1 / (exact - 1)"), { code: "invalid_score" });
});

test("what cannot be graded is told in the result, by a code and a sentence", async () => {
  const told = async (grader: object) =>
    (await resultOf(Grader.parse({ name: "g", ...grader }) as never, grading)).result;
  const lost = await told({ type: "string_check", operation: "eq", input: "{{item.nothing}}", reference: "" });
  assert.deepEqual(lost, {
    ...{ name: "g", type: "string_check", score: 0, passed: false, sample: null },
    error: { code: "invalid_variable", message: "There is no 'item.nothing'." },
  });
  const nobody = await told({ type: "score_model", model: "nobody", input });
  assert.deepEqual(nobody.error, { code: "model_not_found", message: "No such model: 'nobody'." });
});

test("a grader is refused by the field that cannot be read", () => {
  const refused = (grader: object, param: string) =>
    assert.throws(() => checkGrader(Grader.parse({ name: "g", ...grader }) as never, "grader"), { param });
  refused(
    { type: "score_model", model: "m", input: [{ role: "user", content: [{ type: "input_text", text: "{{a}}" }] }] },
    "grader.input[0].content",
  );
  const sub = { type: "string_check", name: "s", input: "x", reference: "{{b}}", operation: "eq" };
  refused({ type: "multi", graders: { a: sub }, calculate_output: "a" }, "grader.graders.a.reference");
});
