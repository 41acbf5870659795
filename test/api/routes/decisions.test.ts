/** Decisions: every question answered from one reading of the text, and every mistake named by its path. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Decision } from "../../../shared/schemas/decision.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";

const host = fakeHost();
let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ host });
  model = (await addModel(deployment.stores, deployment.a)).id;
});
after(() => deployment.close());

const choice = (...values: (string | boolean)[]) => ({
  type: "choice",
  instructions: "Which?",
  choices: values.map((value) => ({ value })),
});
const predicate = (instructions: string, name?: string) => ({ type: "predicate", instructions, name });

const ask = (body: object) =>
  deployment.fetch("/v1/decisions", {
    method: "POST",
    body: JSON.stringify({ model, input: "spam", questions: [choice("spam", "ham")], ...body }),
    headers: { "content-type": "application/json" },
  });

async function decide(body: object): Promise<Decision> {
  const response = await ask(body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Decision;
}

async function refused(body: object, param: string, message = /./, status = 400): Promise<void> {
  const response = await ask(body);
  const { error } = (await response.json()) as { error: { param: string; message: string } };
  assert.deepEqual([response.status, error.param], [status, param], error.message);
  assert.match(error.message, message);
}

test("probabilities are over the given choices, in their order, and sum to 1", async () => {
  host.labels.set(model, ["a", "b", "c"]);
  const { answers } = await decide({ input: "b b c x", questions: [choice("c", "b"), choice("a", "b", "c")] });
  host.labels.delete(model);
  const [two, three] = answers;
  assert.ok(two?.type === "choice" && three?.type === "choice");
  assert.deepEqual(
    two.probabilities.map(({ value }) => value),
    ["c", "b"],
  );
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);
  near(two.probabilities[0]!.probability, 10 / 29);
  near(two.confidence, 19 / 29);
  assert.equal(two.choice, "b");
  near(
    three.probabilities.reduce((sum, { probability }) => sum + probability, 0),
    1,
  );
});

test("a text is read once, however many questions there are", async () => {
  host.asked.length = 0;
  const questions = Array.from({ length: 400 }, () => predicate("spam"));
  assert.equal((await decide({ questions })).answers.length, 400);
  assert.deepEqual(host.asked, [{ model, texts: ["spam"] }]);
  await refused({ questions: [...questions, predicate("spam")] }, "questions");
  await refused({ questions: [] }, "questions");
});

test("booleans stand for the labels `true` and `false`, and come back as they were", async () => {
  host.labels.set(model, ["true", "false"]);
  const [first] = (await decide({ input: "so false", questions: [choice(true, false)] })).answers;
  assert.ok(first?.type === "choice");
  assert.deepEqual([first.choice, first.probabilities[0]?.value], [false, true]);
  await refused({ questions: [choice("true", true)] }, "questions[0].choices[1].value", /repeats/);
  host.labels.delete(model);
});

test("a choice that is no label is named, with labels that are", async () => {
  const questions = [choice("ham", "spam"), choice("spam", "ham", "eggs")];
  await refused({ questions }, "questions[1].choices[2].value", /'ham', 'spam'/);
  await refused({ questions: [choice("ham", "ham")] }, "questions[0].choices[1].value", /repeats/);
  await refused({ questions: [choice("ham")] }, "questions[0].choices");
  await refused(
    { questions: [{ ...choice("ham", "spam"), choices: [{ value: 1 }, { value: "ham" }] }] },
    "questions[0].choices[0].value",
  );
});

test("a predicate asks for the label that its name or its instructions are", async () => {
  const probability = async (question: object) => {
    const [answer] = (await decide({ input: "spam", questions: [question] })).answers;
    return answer?.type === "predicate" ? answer.probability : undefined;
  };
  const spam = 10 / 11;
  assert.equal(await probability(predicate("spam")), spam);
  assert.equal(await probability(predicate(" SPAM ")), spam);
  assert.equal(await probability(predicate("Is it?", "Spam")), spam);
  assert.equal(await probability(predicate("ham", "spam")), spam);
  assert.equal(await probability({ ...predicate(""), instructions: [{ type: "input_text", text: "ham" }] }), 1 / 11);
  await refused({ questions: [predicate("Is it spam?")] }, "questions[0].instructions", /one of the model's labels/);
});

test("a predicate of a yes-no model asks for yes", async () => {
  for (const labels of [
    ["false", "true"],
    ["No", "Yes"],
    ["1", "0"],
    ["positive", "negative"],
  ]) {
    host.labels.set(model, labels);
    const yes = labels.find((label) => ["true", "Yes", "1", "positive"].includes(label))!;
    const [answer] = (await decide({ input: `x ${yes}`, questions: [predicate("Is it so?")] })).answers;
    assert.ok(answer?.type === "predicate" && answer.probability > 0.5, labels.join());
  }
  host.labels.set(model, ["yes", "false"]);
  await refused({ questions: [predicate("Is it so?")] }, "questions[0].instructions");
  host.labels.delete(model);
});

test("a text of which the model knows nothing is refused, question by question", async () => {
  const { answers } = await decide({
    input: "?!",
    questions: [{ ...choice("spam", "ham"), name: "n" }, predicate("spam")],
  });
  assert.deepEqual(answers, [
    { type: "refusal", name: "n" },
    { type: "refusal", name: null },
  ]);
  await refused({ input: "?!", questions: [choice("spam", "eggs")] }, "questions[0].choices[1].value");
});

test("what the user says is the text; instructions and earlier answers are not", async () => {
  host.asked.length = 0;
  const part = (text: string) => ({ type: "input_text", text });
  await decide({
    input: [
      { role: "system", content: "one" },
      { role: "developer", content: [part("two")] },
      { role: "user", content: "three" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "four" }], phase: "final_answer" },
      { role: "user", content: [part("five"), part("six")] },
    ],
  });
  assert.deepEqual(host.asked[0]?.texts, ["three\nfive\nsix"]);
});

test("what a text model cannot read is refused by its path", async () => {
  const user = (...content: object[]) => ({ role: "user", content });
  const image = { type: "input_image", image_url: "data:" };
  await refused({ input: [user({ type: "input_text", text: "x" }, image)] }, "input[0].content[1].type", /text only/);
  await refused({ input: [user({ type: "input_json", data: {} })] }, "input[0].content[0].type");
  await refused({ input: [{ type: "function_call", name: "f" }] }, "input[0].type");
  await refused({ input: [{ role: "system", content: "x" }] }, "input", /user/);
  await refused({ input: [] }, "input");
  await refused({ input: 7 }, "input", /string.*array/);
  await refused({ input: [{ role: "owner", content: "x" }] }, "input[0].role");
  await refused({ input: [user({ type: "input_audio" })] }, "input[0].content[0].type");
  await refused({ input: [{ role: "user", content: "x", color: "red" }] }, "input[0].color", /Unknown/);
});

test("a score is the mean of the levels' places by their probabilities, over the given levels alone", async () => {
  host.labels.set(model, ["good", "fair", "bad", "unheard"]);
  const score = (...labels: string[]) => ({
    type: "score",
    instructions: "How?",
    levels: labels.map((label) => ({ label })),
  });
  const { answers } = await decide({
    input: "fair fair bad",
    questions: [{ ...score("bad", "fair", "good"), name: "rating" }, score("good", "bad")],
  });
  const [three, two] = answers;
  assert.ok(three?.type === "score" && two?.type === "score");
  assert.equal(three.name, "rating");
  assert.deepEqual(
    three.probabilities.map(({ label, value }) => [label, value]),
    [
      ["bad", 0],
      ["fair", 1],
      ["good", 2],
    ],
  );
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);
  for (const [i, mentions] of [10, 19, 1].entries()) near(three.probabilities[i]!.probability, mentions / 30);
  near(three.score, (19 + 2 * 1) / 30);
  near(three.confidence, 19 / 30);
  near(two.score, 10 / 11);
  await refused({ questions: [score("good", "bad", "worse")] }, "questions[0].levels[2].label", /'good', 'fair'/);
  await refused({ questions: [predicate("good"), score("good", "good")] }, "questions[1].levels[1].label", /repeats/);
  await refused({ questions: [score("good")] }, "questions[0].levels");
  await refused({ questions: [{ type: "essay", instructions: "x" }] }, "questions[0].type");
  host.labels.delete(model);
});

test("with a precision asked for, what the model is too unsure of is refused", async () => {
  host.labels.set(model, ["a", "b", "c"]);
  host.thresholds.set(model, [
    { precision: 0.8, confidence: 0.5 },
    { precision: 0.95, confidence: 0.9 },
  ]);
  const types = async (body: object) => (await decide(body)).answers.map(({ type }) => type);
  const questions = [choice("a", "b", "c"), choice("b", "c"), predicate("a"), predicate("b")];
  const sure = { input: "a a x", questions };
  assert.deepEqual(await types(sure), ["choice", "choice", "predicate", "predicate"]);
  assert.deepEqual(await types({ ...sure, min_precision: null }), ["choice", "choice", "predicate", "predicate"]);
  // 'a' has 19 / 21; the choice without it is one the promise was never made for.
  for (const min_precision of [0.5, 0.8, 0.81, 0.95]) {
    assert.deepEqual(await types({ ...sure, min_precision }), ["choice", "refusal", "predicate", "predicate"]);
  }
  // 'a' has 10 / 12.
  const unsure = { input: "a x", questions };
  assert.deepEqual(await types({ ...unsure, min_precision: 0.8 }), ["choice", "refusal", "predicate", "predicate"]);
  assert.deepEqual(await types({ ...unsure, min_precision: 0.81 }), new Array(4).fill("refusal"));
  await refused({ ...sure, min_precision: 0.96 }, "min_precision", /support 0\.95 at most/);
  await refused({ ...sure, min_precision: 0.49 }, "min_precision");
  await refused({ ...sure, min_precision: 1 }, "min_precision");
  host.thresholds.set(model, []);
  assert.deepEqual((await types(sure)).includes("refusal"), false);
  await refused({ ...sure, min_precision: 0.5 }, "min_precision", /no validation rows/);
  host.thresholds.delete(model);
  host.labels.delete(model);
});

test("the model must be a fine-tuned one of this project, or one that gives vectors", async () => {
  const foreign = await addModel(deployment.stores, deployment.b);
  await refused({ model: "millrace-ngram" }, "model", /fine-tune it/);
  await refused({ model: foreign.id }, "model", /No such model/, 404);
  await refused({ model: "gpt-6-luna" }, "model", /No such model/, 404);
});
