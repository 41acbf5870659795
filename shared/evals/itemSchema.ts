/** The JSON schema of an eval's items: what can be checked is, and what cannot is refused when the eval is made. */
import { z } from "zod";
import { fieldPath } from "../validation.ts";
import { RuleError } from "./ruleError.ts";

/** Says what is wrong with an item, and where; undefined: nothing. */
export type ItemCheck = (item: unknown) => { path: string; message: string } | undefined;

/** Throws RuleError naming the keyword that zod does not know. */
export function itemCheckOf(schema: Readonly<Record<string, unknown>>): ItemCheck {
  let parser: z.ZodType;
  try {
    parser = z.fromJSONSchema(stricter(schema) as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    throw new RuleError("invalid_schema", (error as Error).message);
  }
  return (item) => {
    const issue = parser.safeParse(item).error?.issues[0];
    return issue && { path: fieldPath(issue.path), message: issue.message };
  };
}

const anything = { anyOf: ["null", "boolean", "number", "string", "array", "object"].map((type) => ({ type })) };
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Zod looks at `properties` only beside `type: "object"`, and at `required` only for properties that say what they are: both
 * are said here. A schema that leaves the type out is one of objects all the same.
 */
function stricter(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(stricter);
  if (!isObject(schema)) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, isData(key) ? value : within(key, value)]),
  );
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === "string") : [];
  if (!isObject(schema.properties) && required.length === 0) return inner;
  const properties = { ...(inner.properties as Record<string, unknown> | undefined) };
  for (const name of required) {
    if (!isObject(properties[name]) || Object.keys(properties[name]).length === 0) properties[name] = anything;
  }
  return { type: "object", ...inner, properties };
}

/** Values, not schemas. */
const isData = (key: string) => ["enum", "const", "default", "examples", "required"].includes(key);

/** Of what is named, each; of anything else, itself. */
function within(key: string, value: unknown): unknown {
  const named = ["properties", "$defs", "definitions", "patternProperties"].includes(key);
  if (!named || !isObject(value)) return stricter(value);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, stricter(each)]));
}
