/** Decisions about what no model was taught: options compared with the text by the vectors of what describes them. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { BaseRecord } from "../../../shared/schemas/base.ts";
import type { Decision } from "../../../shared/schemas/decision.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { refused } from "../../support/contract.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { sdks } from "../../support/sdks.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";

/** Vectors of this host are counts of letters: the cosine of texts without a letter in common is 0. */
const host = fakeHost();
let deployment: Deployment;
let base: BaseRecord;
let tuned: ModelRecord;
before(async () => {
  deployment = await deploy({ host });
  base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  const { digest, files } = base;
  tuned = await addModel(deployment.stores, deployment.a, { base_model: base.id, base: { digest, files } });
});
beforeEach(() => {
  host.asked.length = 0;
});
after(() => deployment.close());

type Options = Record<string, string | undefined>;
const choice = (options: Options) => ({
  type: "choice",
  instructions: "Which?",
  choices: Object.entries(options).map(([value, description]) => ({ value, description })),
});
const score = (options: Options) => ({
  type: "score",
  instructions: "How?",
  levels: Object.entries(options).map(([label, description]) => ({ label, description })),
});

const post = (body: object) =>
  deployment.fetch("/v1/decisions", {
    method: "POST",
    body: JSON.stringify({ model: base.id, input: "aaa", ...body }),
    headers: { "content-type": "application/json" },
  });

async function decide(body: object): Promise<Decision> {
  const response = await post(body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Decision;
}

/** Softmax over cosines divided by 0.05. */
function softmax(...cosines: number[]): number[] {
  const weights = cosines.map((cosine) => Math.exp(cosine / 0.05));
  return weights.map((weight) => weight / weights.reduce((sum, each) => sum + each, 0));
}

function probabilitiesOf(answer: Decision["answers"][number] | undefined): number[] {
  assert.ok(answer?.type === "choice" || answer?.type === "score", JSON.stringify(answer));
  return (answer.probabilities as { probability: number }[]).map(({ probability }) => probability);
}

function near(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-6, `${actual}`);
}

test("a base goes by descriptions, and by names where there are none", async () => {
  const { answers } = await decide({
    questions: [choice({ a: undefined, b: undefined }), choice({ b: "aaaa", a: "a cab" }), choice({ b: " ", x: "" })],
  });
  near(probabilitiesOf(answers[0]), softmax(1, 0));
  near(probabilitiesOf(answers[1]), softmax(1, 2 / Math.sqrt(6)));
  assert.equal(answers[1]?.type === "choice" && answers[1].choice, "b");
  near(probabilitiesOf(answers[2]), [0.5, 0.5]);
});

test("levels that are described give a score", async () => {
  const [answer] = (await decide({ questions: [score({ low: "b", middle: "ab", high: "a" })] })).answers;
  const [low, middle, high] = softmax(0, Math.SQRT1_2, 1) as [number, number, number];
  near(probabilitiesOf(answer), [low, middle, high]);
  assert.ok(answer?.type === "score");
  near([answer.score, answer.confidence], [middle + 2 * high, high]);
});

test("all questions take one pass, and each description is read once", async () => {
  const questions = [
    choice({ x: "one", y: "two" }),
    score({ one: undefined, three: undefined }),
    choice({ p: "two", q: "three" }),
  ];
  const { usage } = await decide({ input: "text", questions });
  assert.deepEqual(host.asked, [{ model: base.id, texts: ["text", "one", "two", "three"] }]);
  assert.deepEqual([usage.input_tokens, usage.total_tokens], [15, 15]);
});

test("of a tuned model, questions over labels are the classifier's, and those beyond are compared", async () => {
  const questions = [
    choice({ ham: undefined, spam: undefined }),
    choice({ ham: undefined, eggs: "boiled" }),
    { type: "predicate", instructions: "ham" },
  ];
  const { answers, usage, model } = await decide({ model: tuned.id, input: "ham", questions });
  assert.deepEqual(host.asked, [
    { model: tuned.id, texts: ["ham"] },
    { model: tuned.id, texts: ["ham", "ham", "boiled"] },
  ]);
  near(probabilitiesOf(answers[0]), [10 / 11, 1 / 11]);
  near(probabilitiesOf(answers[1]), softmax(1, 0));
  assert.ok(answers[2]?.type === "predicate");
  assert.equal(model, tuned.id);
  // The classifier's one word, and the letters of two descriptions.
  assert.equal(usage.input_tokens, 1 + 9);
});

test("what is neither a label nor described is named", async () => {
  const wrong = async (body: object, param: string, message: RegExp) => {
    const { message: said } = await refused(await post(body), { code: "invalid_value", param });
    assert.match(said, message);
  };
  const model = tuned.id;
  await wrong(
    { model, questions: [choice({ ham: "h", eggs: undefined })] },
    "questions[0].choices[1].value",
    /no 'desc/,
  );
  await wrong(
    { model, questions: [score({ low: "l", high: " " })] },
    "questions[0].levels[1].label",
    /no 'description'/,
  );
  const alone = (await addModel(deployment.stores, deployment.a)).id;
  const described = { model: alone, questions: [choice({ ham: "h", eggs: "e" })] };
  await wrong(described, "questions[0].choices[1].value", /no label of this model\. Its labels/);
  const predicate = { type: "predicate", instructions: "It is so." };
  await wrong(
    { questions: [choice({ a: "a", b: "b" }), predicate] },
    "questions[1].type",
    /ask a 'choice'.*or fine-tune/,
  );
  await wrong({ model: "millrace-ngram", questions: [choice({ a: "a", b: "b" })] }, "model", /fine-tune it/);
  await wrong(
    { min_precision: 0.9, questions: [choice({ a: "a", b: "b" })] },
    "min_precision",
    /'questions\[0\]'.*zero-shot/,
  );
  const mixed = [choice({ ham: undefined, spam: undefined }), choice({ a: "a", b: "b" })];
  await wrong({ model, min_precision: 0.9, questions: mixed }, "min_precision", /'questions\[1\]'/);
});

test("a text that says nothing is refused, and nothing is compared with it", async () => {
  const questions = [{ ...choice({ a: "a", b: "b" }), name: "n" }, score({ a: "a", b: "b" })];
  const refusals = [
    { type: "refusal", name: "n" },
    { type: "refusal", name: null },
  ];
  assert.deepEqual((await decide({ input: " \n", questions })).answers, refusals);
  assert.deepEqual(host.asked, []);
  assert.deepEqual((await decide({ model: tuned.id, input: "?!", questions })).answers, refusals);
  assert.equal(host.asked.length, 1);
});

test("more descriptions than one pass takes are refused before any is read", async () => {
  const questions = Array.from({ length: 9 }, (_, q) =>
    choice(Object.fromEntries(Array.from({ length: 228 }, (_, i) => [`${q} ${i}`, undefined]))),
  );
  await refused(await post({ questions }), { param: "questions" });
  assert.deepEqual(host.asked, []);
  assert.equal((await decide({ questions: questions.slice(1) })).answers.length, 8);
});

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    test("asks a base without labels, and is told its digest", async () => {
      const client = new OpenAI({ apiKey: deployment.keys.b, baseURL: deployment.baseURL, maxRetries: 0 });
      const body = {
        model: base.id,
        input: "aaa",
        questions: [choice({ yes: "aa", no: "b" }), score({ low: "b", high: "a" })],
      };
      const { data, response } = await client.post<Decision>("/decisions", { body }).withResponse();
      assert.deepEqual(
        data.answers.map((answer) => (answer.type === "choice" ? answer.choice : answer.type)),
        ["yes", "score"],
      );
      assert.equal(response.headers.get("x-millrace-model-digest"), base.digest);
    });
  });
}
