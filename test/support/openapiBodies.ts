/** From a JSON schema of the contract: bodies that satisfy it, and every way to break them by one field. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  example?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  description?: string;
}

export type Schemas = Record<string, Schema>;
export type Fixtures = Record<string, unknown>;

export interface BrokenBody {
  title: string;
  body: unknown;
  /** The field that the answer must name. */
  param: string;
  code: string;
}

/** Follows references, and leaves out that a field may be null. */
export function resolve(schema: Schema, schemas: Schemas): Schema {
  if (schema.$ref) return resolve(schemas[schema.$ref.split("/").at(-1)!]!, schemas);
  const branches = schema.anyOf?.filter((branch) => branch.type !== "null");
  return branches?.length === 1 ? { ...schema, anyOf: undefined, ...resolve(branches[0]!, schemas) } : schema;
}

const alternativesOf = (schema: Schema) => (schema.oneOf ?? schema.anyOf)?.filter((branch) => branch.type !== "null");
const typesOf = (schema: Schema) => [schema.type ?? []].flat();

/** With all optional fields when `full`; `pick` chooses among alternatives. */
export function validBody(schema: Schema, schemas: Schemas, fixtures: Fixtures, full: boolean, pick = 0): unknown {
  const s = resolve(schema, schemas);
  const inner = (part: Schema) => validBody(part, schemas, fixtures, full, pick);
  if (s.example !== undefined) return s.example;
  const alternatives = alternativesOf(s);
  if (alternatives) return inner(alternatives[Math.min(pick, alternatives.length - 1)]!);
  if (s.enum) return s.enum[0];
  const types = typesOf(s);
  if (types.includes("object")) {
    const names = Object.keys(s.properties ?? {}).filter((name) => full || s.required?.includes(name));
    const fixed = (name: string) => (s.properties![name]!.example === undefined ? fixtures[name] : undefined);
    return Object.fromEntries(names.map((name) => [name, fixed(name) ?? inner(s.properties![name]!)]));
  }
  if (types.includes("array"))
    return s.maxItems === 0 ? [] : Array.from({ length: s.minItems ?? 1 }, () => inner(s.items!));
  if (types.includes("string")) return "x";
  if (types.includes("integer") || types.includes("number")) return s.minimum ?? (s.exclusiveMinimum ?? 0) + 1;
  if (types.includes("boolean")) return true;
  throw new Error(`No valid value for ${JSON.stringify(s)}: teach the generator, or give the schema an example`);
}

/** Fields of an answer that the schema does not know, and those that it promises and are not there. */
export function* mismatches(schema: Schema, schemas: Schemas, value: unknown, path = "body"): Generator<string> {
  const s = branchFor(resolve(schema, schemas), schemas, value);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      if (s.items) yield* mismatches(s.items, schemas, item, `${path}[${index}]`);
  } else if (typeof value === "object" && value !== null && s.properties) {
    for (const name of s.required ?? []) if (!(name in value)) yield `${path}.${name} is missing`;
    for (const [name, item] of Object.entries(value)) {
      if (s.properties[name]) yield* mismatches(s.properties[name], schemas, item, `${path}.${name}`);
      else if (typeof s.additionalProperties !== "object") yield `${path}.${name} is not in the contract`;
    }
  }
}

/** Each body is valid but for one field. */
export function brokenBodies(schema: Schema, schemas: Schemas, body: unknown): BrokenBody[] {
  return [...breaksOf(schema, schemas, body, [])].map(({ path, value, code, title }) => ({
    title: `${title} at ${path.map((part) => `/${part}`).join("")}`,
    body: replaced(body, path, value),
    param: spell(path),
    code,
  }));
}

type Path = (string | number)[];
type Break = { path: Path; value: unknown; code: string; title: string };
const absent = Symbol("absent");

function* breaksOf(schema: Schema, schemas: Schemas, value: unknown, path: Path): Generator<Break> {
  const s = branchFor(resolve(schema, schemas), schemas, value);
  if (path.length > 0) yield* breaksOfValue(s, schemas, path);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) if (s.items) yield* breaksOf(s.items, schemas, item, [...path, index]);
  } else if (typeof value === "object" && value !== null) {
    if (s.additionalProperties === false) {
      yield { path: [...path, "no_such_field"], value: 1, code: "unknown_parameter", title: "unknown field" };
    }
    for (const name of s.required ?? []) {
      yield { path: [...path, name], value: absent, code: "missing_required_parameter", title: "missing field" };
    }
    for (const [name, item] of Object.entries(value)) {
      if (s.properties?.[name]) yield* breaksOf(s.properties[name], schemas, item, [...path, name]);
    }
  }
}

function* breaksOfValue(s: Schema, schemas: Schemas, path: Path): Generator<Break> {
  const allowed = new Set((alternativesOf(s) ?? [s]).flatMap((branch) => typesOf(resolve(branch, schemas))));
  const samples = { boolean: true, array: [true], object: { a: true }, string: "zzz no such value" };
  for (const [type, value] of Object.entries(samples)) {
    if (!allowed.has(type)) yield { path, value, code: "invalid_type", title: `${type} instead` };
  }
  const wrong = (value: unknown, title: string): Break => ({ path, value, code: "invalid_value", title });
  if (s.enum) yield wrong("zzz no such value", "value that is none of the enumeration");
  if (s.minLength) yield wrong("", "empty text");
  if (s.maxLength) yield wrong("x".repeat(s.maxLength + 1), "too long a text");
  if (s.minItems) yield wrong([], "too short a list");
  if (s.maximum !== undefined) yield wrong(s.maximum + 1, "too large a number");
  if (s.minimum !== undefined) yield wrong(s.minimum - 1, "too small a number");
}

/** The alternative that the value was made from. */
function branchFor(s: Schema, schemas: Schemas, value: unknown): Schema {
  const alternatives = alternativesOf(s)?.map((branch) => resolve(branch, schemas));
  if (!alternatives) return s;
  const named = alternatives.find((branch) => {
    const types = branch.properties?.type?.enum;
    return types && (value as { type?: unknown } | null)?.type === types[0];
  });
  return named ?? s;
}

function replaced(body: unknown, [head, ...rest]: Path, value: unknown): unknown {
  if (head === undefined) return value;
  const copy = Array.isArray(body) ? [...body] : { ...(body as object) };
  const target = copy as Record<string | number, unknown>;
  if (rest.length === 0 && value === absent) delete target[head];
  else target[head] = replaced(target[head], rest, value);
  return copy;
}

function spell(path: Path): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i ? "." : ""}${part}`)).join("");
}
