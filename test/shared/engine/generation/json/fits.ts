/** Whether a value fits a JSON schema: a second reading of the words that schemas here may hold, for tests. */

type Schema = Record<string, unknown>;

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const typeTests: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Each word that a value does not fit. */
const tests: Record<string, (value: unknown, word: never, schema: Schema, root: Schema) => boolean> = {
  type: (value, type: string | string[]) => [type].flat().some((name) => typeTests[name]!(value)),
  const: (value, expected: unknown) => same(value, expected),
  enum: (value, all: unknown[]) => all.some((each) => same(value, each)),
  anyOf: (value, all: Schema[], _, root) => all.some((each) => fits(value, each, root)),
  $ref: (value, pointer: string, _, root) => {
    const parts = pointer.split("/").slice(1);
    return fits(
      value,
      parts.reduce((found, part) => found[part] as Schema, root),
      root,
    );
  },
  properties: (value, parts: Record<string, Schema>, _, root) =>
    !isObject(value) ||
    Object.entries(parts).every(([name, part]) => !(name in value) || fits(value[name], part, root)),
  required: (value, names: string[]) => !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
  additionalProperties: (value, may: boolean, { properties = {} }) =>
    may || !isObject(value) || Object.keys(value).every((name) => Object.hasOwn(properties as object, name)),
  items: (value, part: Schema, _, root) => !Array.isArray(value) || value.every((item) => fits(item, part, root)),
  minItems: (value, least: number) => !Array.isArray(value) || value.length >= least,
  maxItems: (value, most: number) => !Array.isArray(value) || value.length <= most,
  minLength: (value, least: number) => typeof value !== "string" || [...value].length >= least,
  // An escape of half a character is counted as one.
  maxLength: (value, most: number) => typeof value !== "string" || [...value].length <= most,
};

export function fits(value: unknown, schema: Schema, root = schema): boolean {
  return Object.entries(schema).every(
    ([word, expected]) => tests[word]?.(value, expected as never, schema, root) ?? true,
  );
}
