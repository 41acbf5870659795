/** The operations of `api/openapi.json`, what can be sent to them, and what a refusal must look like. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ErrorResponse } from "../../shared/schemas/error.ts";
import type { Schema, Schemas } from "./openapiBodies.ts";

export interface Parameter {
  name: string;
  in: "query" | "path" | "header";
  schema: Schema;
}

export interface Operation {
  /** Any of them opens it; empty: no key is needed. */
  security?: { key?: string[]; admin_key?: string[] }[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

const text = await readFile(new URL("../../api/openapi.json", import.meta.url), "utf8");
const document: { paths: Record<string, Record<string, Operation>>; components: { schemas: Schemas } } =
  JSON.parse(text);
export const schemas = document.components.schemas;
export const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
export const jsonOf = (operation: Operation) => operation.requestBody?.content["application/json"]?.schema;
export const formOf = (operation: Operation) => operation.requestBody?.content["multipart/form-data"]?.schema;

/** Of fields that are alternatives, which no schema says, the one that is sent. */
export const chosen: Record<string, string> = {
  CreateFeedback: "inference_id",
  CreateLabel: "label",
  AddProjectUser: "user_id",
};

/** Asserts a refusal in the wrapper, and returns what it says. */
export async function refused(
  response: Response,
  expected: { status?: number; code?: string; param?: string | RegExp },
) {
  const body = await response.text();
  const status = expected.status ?? 400;
  assert.equal(response.status, status, body);
  const { error } = ErrorResponse.strict().parse(JSON.parse(body));
  assert.match(response.headers.get("x-request-id") ?? "", /^req_[0-9a-z]{26}$/);
  assert.ok(!/ at .*\.ts|node_modules/.test(body), `a stack trace in ${body}`);
  if (expected.code) assert.equal(error.code, expected.code, body);
  if (expected.param instanceof RegExp) assert.match(error.param ?? "", expected.param, body);
  else if (expected.param !== undefined) assert.equal(error.param, expected.param, body);
  return error;
}

/** All that is required, but for the changes; `undefined` leaves a part out. */
export function formWith(schema: Schema, changes: Record<string, string | Blob | undefined> = {}): FormData {
  const form = new FormData();
  for (const name of schema.required ?? []) {
    if (name in changes) continue;
    const property = schema.properties![name]!;
    form.append(name, property.format === "binary" ? new Blob(["{}\n"]) : String(property.enum?.[0]));
  }
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) form.append(name, value);
  return form;
}

export function wrongQueries({ name, schema: outer }: Parameter): string[] {
  const schema = outer.items ?? outer;
  const types = [schema.type ?? []].flat();
  const wrong: string[] = [];
  if (types.includes("integer")) wrong.push(`${name}=x`, `${name}=`, `${name}=1.5`, `${name}=1&${name}=2`);
  if (schema.minimum !== undefined) wrong.push(`${name}=${schema.minimum - 1}`);
  if (schema.maximum !== undefined) wrong.push(`${name}=${schema.maximum + 1}`);
  if (schema.enum || schema.pattern) wrong.push(`${name}=zzz`, `${name}=`, `${name}=%00`);
  if (schema.maxLength !== undefined) wrong.push(`${name}=${"x".repeat(schema.maxLength + 1)}`);
  const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  if (values?.maxLength) wrong.push(`${name}[k]=${"x".repeat(values.maxLength + 1)}`, `${name}=zzz`);
  for (const property of Object.keys(schema.properties ?? {})) wrong.push(`${name}[${property}]=x`, `${name}[zzz]=1`);
  return wrong;
}
