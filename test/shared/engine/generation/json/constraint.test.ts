/** JSON by token masks: whatever is chosen among the tokens allowed ends as JSON that fits its schema. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { JsonConstraints, type JsonFormat } from "../../../../../shared/engine/generation/json/constraint.ts";
import { JsonSchemaError, schemaRule } from "../../../../../shared/engine/generation/json/schema.ts";
import { fits } from "./fits.ts";

/** Every byte, and tokens that reach over several signs of JSON. */
const words = [
  '{"',
  '"}',
  '": ',
  '", "',
  "},",
  "]}",
  " true",
  "null",
  "12",
  "name",
  "é",
  "中文",
  "🙂x",
  '\\"',
  "\\u00",
  "  \n",
];
const tokens = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...words.map((word) => new Uint8Array(Buffer.from(word))),
  new Uint8Array(Buffer.from("中").subarray(0, 2)),
  undefined,
];
const end = tokens.length - 1;
const constraints = new JsonConstraints(tokens);

const textOf = (ids: readonly number[]) => Buffer.concat(ids.map((id) => tokens[id]!)).toString();

/** Chooses among the allowed tokens, closing ones rather often; undefined where it became too long. */
function write(format: JsonFormat, choose: (below: number) => number): string | undefined {
  const allowed = constraints.start(format, [end]);
  const written: number[] = [];
  while (written.length < 400) {
    const mask = allowed(written);
    if (!mask) return textOf(written);
    const ids = [...mask.keys()].filter((id) => mask[id] === 1);
    assert.ok(ids.length > 0, `nothing may follow ${textOf(written)}`);
    const closing = ids.filter((id) => /^["}\]]|,$/.test(tokens[id] ? Buffer.from(tokens[id]).toString() : ""));
    const from = closing.length > 0 && choose(3) > 0 ? closing : ids;
    const id = from[choose(from.length)]!;
    if (id === end) return textOf(written);
    written.push(id);
  }
  return undefined;
}

const leaf = fc.constantFrom<object>(
  { type: "string" },
  { type: "string", minLength: 1, maxLength: 3 },
  { type: ["integer", "null"] },
  { type: "number" },
  { type: "boolean" },
  { enum: ["a", "ab", 'q"\\é', 7, null, { k: [1] }] },
  { const: "only" },
  { type: "string", enum: ["x", "y"] },
  { $ref: "#/$defs/tree" },
);
const schemas = fc.letrec<{ part: object }>((tie) => ({
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.record({
      type: fc.constant("array"),
      items: tie("part"),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    fc.record({ anyOf: fc.array(tie("part"), { minLength: 1, maxLength: 3 }) }),
    fc.dictionary(fc.constantFrom("a", "b c", 'q"', "é"), tie("part"), { maxKeys: 4 }).chain((properties) =>
      fc.subarray(Object.keys(properties)).map((required) => {
        return { type: "object", properties, required, additionalProperties: false };
      }),
    ),
  ),
})).part;
const tree = {
  type: "object",
  properties: { value: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/tree" }, { type: "null" }] } },
  required: ["value"],
  additionalProperties: false,
};

describe("JSON by token masks", () => {
  it("fits any schema, whatever is chosen", () => {
    let whole = 0;
    fc.assert(
      fc.property(schemas, fc.infiniteStream(fc.nat(9999)), (part, numbers) => {
        const schema = { type: "object", properties: { part }, required: ["part"], $defs: { tree } };
        const text = write({ type: "schema", schema }, (below) => numbers.next().value % below);
        if (text === undefined) return;
        whole++;
        assert.ok(fits(JSON.parse(text), schema), `${text} does not fit ${JSON.stringify(schema)}`);
      }),
      { numRuns: 300 },
    );
    assert.ok(whole > 200, `only ${whole} texts came to their end`);
  });

  it("is an object where no schema is given", () => {
    let whole = 0;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(9999)), (numbers) => {
        const text = write({ type: "object" }, (below) => numbers.next().value % below);
        if (text === undefined) return;
        whole++;
        assert.equal(Object.prototype.toString.call(JSON.parse(text)), "[object Object]");
      }),
      { numRuns: 100 },
    );
    assert.ok(whole > 50, `only ${whole} texts came to their end`);
  });

  it("lets through what others write of a schema: blanks, line breaks, every escape and script", () => {
    const schema = {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "array", items: { type: "number" } } },
    };
    const texts = [
      '{"a":"x","b":[1,2.5e-3,-0]}',
      '{"a": "x", "b": [1, 2]}',
      JSON.stringify({ a: 'é中文🙂 "\\\n\u0001', b: [] }),
      JSON.stringify({ a: "x", b: [1, 2] }, null, 2),
      '{"a": "\\ud83d\\ude42 \\/"}',
      "{}",
    ];
    for (const text of texts) {
      const allowed = constraints.start({ type: "schema", schema }, [end]);
      const written: number[] = [];
      for (const byte of Buffer.from(text)) {
        assert.equal(allowed(written)?.[byte], 1, `${textOf(written)} may not go on with ${String.fromCharCode(byte)}`);
        written.push(byte);
      }
      assert.equal(allowed(written), undefined, text);
    }
  });

  it("does not let through what is no JSON or does not fit", () => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer" }, s: { type: "string", maxLength: 2 } },
      required: ["n"],
      additionalProperties: false,
    };
    for (const text of [
      '{"s',
      '{"n":1.',
      '{"n":01',
      '{"n":1,}',
      '{"n":1,"x',
      '{"n":1,"s":"abc',
      '{"n":1,"s":"a\n',
      '{"n":1}}',
      "{  ",
    ]) {
      const allowed = constraints.start({ type: "schema", schema }, [end]);
      const written: number[] = [];
      const stopped = [...Buffer.from(text)].find((byte) => {
        if (!allowed(written)?.[byte]) return true;
        written.push(byte);
        return false;
      });
      assert.notEqual(stopped, undefined, `${text} was let through`);
      assert.equal(textOf(written), text.slice(0, -1), `${text} was stopped elsewhere`);
    }
  });

  it("ends a number that may go on by an end token, and nowhere else", () => {
    const allowed = constraints.start({ type: "schema", schema: { type: "integer" } }, [end]);
    assert.equal(allowed([])?.[end], 0);
    assert.equal(allowed([0x31])?.[end], 1);
  });

  it("names by its path what of a schema is not supported", () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { type: "array", items: nested(depth - 1) });
    const wrong: [unknown, string][] = [
      [7, ""],
      [{ type: "thing" }, "type"],
      [{ type: "object", properties: { a: { type: "string", pattern: "x" } } }, "properties.a.pattern"],
      [{ type: "array", items: { type: "integer", minimum: 1 } }, "items.minimum"],
      [{ anyOf: [{ type: "null" }, { allOf: [] }] }, "anyOf[1].allOf"],
      [{ type: "object", properties: {}, required: ["a"] }, "required"],
      [{ type: "object", additionalProperties: { type: "string" } }, "additionalProperties"],
      [{ $ref: "#/$defs/a" }, "$ref"],
      [{ $ref: "http://example.org" }, "$ref"],
      [{ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }, ""],
      [{ $ref: "#/$defs/a", $defs: { a: { anyOf: [{ type: "null" }, { $ref: "#/$defs/a" }] } } }, ""],
      [{ enum: [] }, "enum"],
      [{ type: "string", enum: [1] }, "type"],
      [{ properties: { a: {} } }, "type"],
      [{ type: "array", minItems: 3, maxItems: 2 }, "minItems"],
      [{ type: "string", maxLength: -1 }, "maxLength"],
      [{ oneOf: [] }, "oneOf"],
      [nested(70), Array(65).fill("items").join(".")],
    ];
    for (const [schema, path] of wrong) {
      assert.throws(
        () => schemaRule(schema),
        (error: JsonSchemaError) => error instanceof JsonSchemaError && error.path === path,
        `${JSON.stringify(schema)} at ${path}`,
      );
    }
  });

  it("needs a token for every character of JSON, and leaves out halves of characters that cannot be completed", () => {
    assert.throws(
      () => new JsonConstraints(tokens.filter((_, byte) => byte !== 0x7d)),
      /has not every character of JSON/,
    );
    const ascii = tokens.map((bytes) => (bytes?.length === 1 && bytes[0]! >= 0x80 ? undefined : bytes));
    const allowed = new JsonConstraints(ascii).start({ type: "object" }, [end]);
    const mask = allowed([...Buffer.from('{"')])!;
    assert.equal(mask[tokens.length - 2], 0);
    assert.equal(mask[256 + words.indexOf("中文")], 1);
  });
});
