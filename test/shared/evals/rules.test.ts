/** Templates, formulas and schemas of items: what they read, and how they refuse what they cannot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFormula } from "../../../shared/evals/formula.ts";
import { itemCheckOf } from "../../../shared/evals/itemSchema.ts";
import { checkTemplate, fill } from "../../../shared/evals/templates.ts";

test("a template reads what is there, and JSON of what is no text", () => {
  const variables = { item: { a: "x", n: 3, "b-c": [{ d: "é" }], nul: null }, sample: { output_text: "{{item.a}}" } };
  const cases = [
    ["{{item.a}}", "x"],
    ["<{{ item.n }}|{{item.b-c[0].d}}>", "<3|é>"],
    ["{{item.b-c}} {{item.nul}}", '[{"d":"é"}] null'],
    ["{{sample.output_text}}", "{{item.a}}"],
    ["{ {item.a} } {{}", "{ {item.a} } {{}"],
  ];
  for (const [template, wanted] of cases) assert.equal(fill(template!, variables), wanted);
  for (const path of ["item.zzz", "item.a.length", "item.b-c[1]", "item.constructor", "item.__proto__"]) {
    assert.throws(() => fill(`{{${path}}}`, variables), {
      code: "invalid_variable",
      message: `There is no '${path}'.`,
    });
  }
});

test("a template's variables are of the item or the sample", () => {
  checkTemplate("{{item}} {{ sample.output_json.a[0] }} {item}");
  for (const path of ["", "x", "items.a", "item.a b", "item..a", "item[a]", "process.env", "item.a | upper"]) {
    assert.throws(() => checkTemplate(`{{${path}}}`), { code: "invalid_variable" }, path);
  }
});

test("a formula is arithmetic, as it is written in mathematics", () => {
  const scores = { a: 1, b: 4, long_name2: 0.5 };
  const cases: [string, number][] = [
    ["a + b * 2", 9],
    ["(a + b) * 2", 10],
    ["10 - 4 - 3", 3],
    ["16 / 4 / 2", 2],
    ["-2 ^ 2", -4],
    ["2 ^ 3 ^ 2", 512],
    ["2 ** -1", 0.5],
    ["--a", 1],
    ["min(a, b, .25) + max(a, b)", 4.25],
    ["abs(-3) + floor(1.9) + ceil(1.1) + exp(0) + sqrt(b) + log(1)", 9],
    ["1e2*long_name2", 50],
  ];
  for (const [text, wanted] of cases) assert.equal(parseFormula(text).evaluate(scores), wanted, text);
  assert.deepEqual(parseFormula("a + max(b, a)").names, ["a", "b"]);
});

test("what is no formula is refused, saying why, and what comes to nothing is no score", () => {
  const wrong = {
    "": "it ends too early",
    "a b": "'b' stands out of place",
    "(a": "where ')' should be",
    "1 +": "it ends too early",
    "a; b": "'; b' cannot be read",
    "f(1)": "'f' is no function",
    "constructor(1)": "'constructor' is no function",
    "a constructor b": "'constructor' stands out of place",
    "abs(1, 2)": "'abs' does not take 2 values",
    "a.b": "'.b' cannot be read",
    "a = 1": "'= 1' cannot be read",
    [`${"(".repeat(60)}1${")".repeat(60)}`]: "nested too deeply",
  };
  for (const [text, why] of Object.entries(wrong)) {
    assert.throws(
      () => parseFormula(text),
      (error: Error) => error.message.includes(why),
      text,
    );
  }
  for (const text of ["1 / a", "log(a)", "sqrt(0 - 1)"]) {
    assert.throws(() => parseFormula(text).evaluate({ a: 0 }), { code: "invalid_score" }, text);
  }
});

test("an item is held to its schema, and the field at fault is named", () => {
  const schema = {
    type: "object",
    properties: {
      text: { type: "string", minLength: 1 },
      label: { enum: ["a", "b"] },
      turns: { type: "array", items: { properties: { role: { type: "string" } }, required: ["role", "content"] } },
      any: {},
    },
    required: ["text", "any", "unspecified"],
  };
  const check = itemCheckOf(schema);
  const item = { text: "x", label: "a", turns: [{ role: "user", content: 1 }], any: null, unspecified: 0, more: 1 };
  assert.equal(check(item), undefined);
  const faults: [object, string][] = [
    [{ text: 1 }, "text"],
    [{ text: "" }, "text"],
    [{ label: "c" }, "label"],
    [{ turns: [{ role: "user" }] }, "turns[0].content"],
    [{ turns: [{ role: 1, content: 1 }] }, "turns[0].role"],
    [{ any: undefined }, "any"],
    [{ unspecified: undefined }, "unspecified"],
  ];
  for (const [changes, path] of faults) assert.equal(check({ ...item, ...changes })?.path, path);
  assert.equal(itemCheckOf({ ...schema, additionalProperties: false })(item)?.message, 'Unrecognized key: "more"');
  assert.equal(itemCheckOf({})("anything"), undefined);
});

test("a schema that cannot be checked is refused, never skipped", () => {
  for (const schema of [
    { type: "objekt" },
    { not: { type: "string" } },
    { $ref: "http://elsewhere" },
    { pattern: "(", type: "string" },
  ]) {
    assert.throws(() => itemCheckOf(schema), { code: "invalid_schema" }, JSON.stringify(schema));
  }
});
