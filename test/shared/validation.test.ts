/** The error a client reads names the field it meant, in its own spelling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { toApiError } from "../../shared/validation.ts";

const Part = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string().max(3) }),
  z.strictObject({ type: z.literal("number"), value: z.number() }),
]);
const Body = z.strictObject({
  input: z.union([z.string(), z.array(z.strictObject({ parts: z.union([z.string(), z.array(Part)]) }))]),
  epochs: z.union([z.literal("auto"), z.int().min(1)]).optional(),
  labels: z.record(z.string().max(3), z.string()).optional(),
});

function errorOf(body: unknown) {
  const result = Body.safeParse(body);
  assert.ok(!result.success);
  const { code, param, message } = toApiError(result.error.issues[0]!, body);
  return { code, param, message };
}

const cases: Record<string, [body: unknown, code: string, param: string | null]> = {
  "a missing field": [{}, "missing_required_parameter", "input"],
  "a wrong type": [{ input: 1 }, "invalid_type", "input"],
  "a missing field inside a union": [{ input: [{}] }, "missing_required_parameter", "input[0].parts"],
  "a missing field inside two": [
    { input: [{ parts: [{ type: "text" }] }] },
    "missing_required_parameter",
    "input[0].parts[0].text",
  ],
  "a wrong value inside two": [
    { input: [{ parts: [{ type: "text", text: "long" }] }] },
    "invalid_value",
    "input[0].parts[0].text",
  ],
  "a discriminator of nothing": [{ input: [{ parts: [{ type: "x" }] }] }, "invalid_value", "input[0].parts[0].type"],
  "a missing discriminator": [{ input: [{ parts: [{}] }] }, "missing_required_parameter", "input[0].parts[0].type"],
  "an unknown field": [{ input: "", extra: 1 }, "unknown_parameter", "extra"],
  "an unknown field inside a union": [{ input: [{ parts: "", extra: 1 }] }, "unknown_parameter", "input[0].extra"],
  "a number out of range": [{ input: "", epochs: 0 }, "invalid_value", "epochs"],
  "neither word nor number": [{ input: "", epochs: "many" }, "invalid_type", "epochs"],
  "a key too long": [{ input: "", labels: { long: "x" } }, "invalid_value", "labels.long"],
  "a field that is no field": [JSON.parse('{"input":"","__proto__":{}}'), "unknown_parameter", "__proto__"],
  "no object at all": [[], "invalid_type", null],
};

for (const [title, [body, code, param]] of Object.entries(cases)) {
  test(`${title} is ${code}${param ? ` of ${param}` : ""}`, () => {
    const error = errorOf(body);
    assert.deepEqual([error.code, error.param], [code, param], error.message);
    if (param) assert.ok(error.message.includes(param), error.message);
  });
}
