/** Decisions about rows of tables, and decisions with their reasons: what is asked of the model, and what is refused by path. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Decision } from "../../../shared/schemas/decision.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";

const host = fakeHost();
let deployment: Deployment;
let tables: string;
let texts: string;
before(async () => {
  deployment = await deploy({ host });
  const columns = [
    { name: "age", kind: "number" },
    { name: "work", kind: "category" },
    { name: "constructor", kind: "category" },
  ] as const;
  tables = (await addModel(deployment.stores, deployment.a, { columns: [...columns] })).id;
  texts = (await addModel(deployment.stores, deployment.a)).id;
});
after(() => deployment.close());

const choice = { type: "choice", instructions: "Which?", choices: [{ value: "ham" }, { value: "spam" }] };
const row = (data: unknown) => ({ role: "user", content: [{ type: "input_json", data }] });

function ask(body: object, path = "/v1/decisions") {
  return deployment.fetch(path, {
    method: "POST",
    body: JSON.stringify(path === "/v1/decisions" ? { model: tables, questions: [choice], ...body } : body),
    headers: { "content-type": "application/json" },
  });
}

async function decide(body: object): Promise<Decision> {
  const response = await ask(body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Decision;
}

async function refused(response: Response, param: string, message: RegExp): Promise<void> {
  const { error } = (await response.json()) as { error: { param: string; message: string } };
  assert.deepEqual([response.status, error.param], [400, param], error.message);
  assert.match(error.message, message);
}

test("a row is read as training rows are: any order, numbers or their text, whatever stands for nothing left out", async () => {
  const rows: unknown[] = [
    { work: "spam", age: 39 },
    [{ age: " 39", work: "spam ", constructor: null }],
    { age: "39", work: "spam", constructor: "", unheard: "?" },
  ];
  for (const data of rows) {
    const { answers } = await decide({ input: [{ role: "system", content: "Sort." }, row(data)] });
    assert.equal(answers[0]?.type === "choice" && answers[0].choice, "spam");
    assert.deepEqual(host.asked.at(-1), { model: tables, texts: ['{"age":"39","work":"spam"}'] });
  }
});

test("what is no row of the model's table is refused by path, with the columns it has", async () => {
  const at = "input[0].content[0].data";
  const cases: [unknown, string, RegExp][] = [
    [[row({ agee: 1 })], `${at}.agee`, /is no column of this model\. Its columns are 'age', 'work', 'constructor'\./],
    [[row({ toString: "x" })], `${at}.toString`, /is no column/],
    [[row({ age: "old" })], `${at}.age`, /is 'old', and the column holds numbers/],
    [[row({ work: ["a"] })], `${at}.work`, /holds a list/],
    [[row([{ age: 1 }, { age: 2 }])], `${at}[1]`, /second row: a decision is about one/],
    [[row({ age: 1 }), row({ age: 2 })], "input[1].content[0].data", /second row/],
    [[row([])], "input", /needs a message of role 'user'/],
    ["39, Private", "input", /reads rows of a table/],
    [[{ role: "user", content: "39" }], "input", /reads rows of a table/],
    [
      [{ role: "user", content: [{ type: "input_text", text: "39" }] }],
      "input[0].content[0].type",
      /rows of a table only/,
    ],
    [[{ type: "function_call" }], "input[0].type", /rows of a table only/],
  ];
  const before = host.asked.length;
  for (const [input, param, message] of cases) await refused(await ask({ input }), param, message);
  assert.equal(host.asked.length, before, "nothing was asked of the model");
});

test("models of texts and models of tables are not taken for each other", async () => {
  await refused(await ask({ model: texts, input: [row({ age: 1 })] }), "input[0].content[0].type", /reads text only/);
  await refused(await ask({ model: tables, input: "spam" }, "/v1/moderations"), "model", /reads rows of a table/);
});

test("each answer says why, by the label it rests on, and a refusal says nothing", async () => {
  const questions = [
    choice,
    { type: "predicate", instructions: "ham" },
    { type: "score", instructions: "How bad?", levels: [{ label: "ham" }, { label: "spam" }] },
  ];
  const { answers } = await decide({ model: texts, input: "so much spam", questions, explain: true });
  const reasons = answers.map((answer) => (answer.type === "refusal" ? undefined : answer.explanation));
  assert.deepEqual(
    reasons.map((reason) => reason?.label),
    ["spam", "ham", "spam"],
  );
  assert.deepEqual(reasons[0], {
    ...{ label: "spam", logit: 1, baseline_logit: 0 },
    tokens: [
      { text: "so", start: 0, end: 2, attribution: 0 },
      { text: "much", start: 3, end: 7, attribution: 0 },
      { text: "spam", start: 8, end: 12, attribution: 1 },
    ],
  });
  const plain = await decide({ model: texts, input: "so much spam", questions });
  assert.ok(plain.answers.every((answer) => !("explanation" in answer)));
  const asked = host.asked.length;
  const unknown = await decide({ model: texts, input: "12 34", questions: [choice], explain: true });
  assert.deepEqual(unknown.answers, [{ type: "refusal", name: null }]);
  assert.equal(host.asked.length, asked + 1, "there is nothing to explain");
});

test("more labels than can be explained at once are refused", async () => {
  const labels = Array.from({ length: 17 }, (_, i) => `label${String.fromCharCode(97 + i)}`);
  host.labels.set(texts, labels);
  const questions = labels.map((label) => ({ type: "predicate", instructions: label }));
  await refused(
    await ask({ model: texts, input: "words", questions, explain: true }),
    "explain",
    /17 different labels/,
  );
  await decide({ model: texts, input: "words", questions: questions.slice(1), explain: true });
  host.labels.delete(texts);
});
