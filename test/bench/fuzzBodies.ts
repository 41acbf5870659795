/** Values for a JSON schema of the contract, as nobody would send them by mistake alone: valid, nearly valid, and wild. */
import fc from "fast-check";
import { resolve, type Schema, type Schemas } from "../support/openapiBodies.ts";

/** In the place of a string: one of the ids that are known of what the field is called. */
export interface Known {
  readonly $known: string;
}

const wildStrings = [
  ...[
    "",
    " ",
    "\u0000",
    "__proto__",
    "constructor",
    "toString",
    "../../etc/passwd",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
  ],
  ...[
    "\ud800",
    "\udfff\ud800",
    "💥".repeat(300),
    "a".repeat(70_000),
    "=cmd|' /C calc'!A0",
    "\u202e\uFEFF",
    "null",
    "NaN",
  ],
  ...[
    "alias:",
    "fn:",
    "alias:x",
    "fn:x",
    "ft:",
    "ft:a:b::c",
    "file-",
    "1e999",
    "-1",
    "%00",
    "{{item.text}}",
    "{{",
    "a\nb\r\nc",
  ],
];
const wildNumbers = [0, -0, -1, 0.1, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 2 ** 64];

export const wildValue: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom<unknown>(...wildStrings), weight: 3 },
  { arbitrary: fc.constantFrom<unknown>(...wildNumbers, true, false, null, [], {}, [[]], [{}], [null]), weight: 3 },
  { arbitrary: fc.jsonValue({ maxDepth: 4, noUnicodeString: false } as object), weight: 2 },
  { arbitrary: fc.nat(90).map((depth) => JSON.parse(`${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`)), weight: 1 },
  { arbitrary: fc.constant(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`key${i}`, i]))), weight: 1 },
  { arbitrary: fc.constant(Array.from({ length: 3000 }, (_, i) => i)), weight: 1 },
  {
    arbitrary: fc.constant(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')),
    weight: 1,
  },
);

const typesOf = (schema: Schema) => [schema.type ?? []].flat();
const deepest = 7;

/** Values that the schema allows, nearly always; ids and names as `Known`. */
export function valueFor(outer: Schema, schemas: Schemas, name = "", depth = 0): fc.Arbitrary<unknown> {
  const s = resolve(outer, schemas);
  const inner = (part: Schema, field = name) => valueFor(part, schemas, field, depth + 1);
  const examples = s.example === undefined ? [] : [{ arbitrary: fc.constant(s.example), weight: 2 }];
  const alternatives = (s.oneOf ?? s.anyOf)?.map((part) => inner(part));
  const made =
    depth > deepest ? fc.constant(null) : (alternatives && fc.oneof(...alternatives)) || plain(s, name, inner);
  return fc.oneof({ arbitrary: made, weight: 3 }, ...examples);
}

type Inner = (part: Schema, field?: string) => fc.Arbitrary<unknown>;

function plain(s: Schema, name: string, inner: Inner): fc.Arbitrary<unknown> {
  if (s.enum) return fc.constantFrom(...s.enum);
  const kinds = typesOf(s).map((type) => makers[type]?.(s, name, inner) ?? wildValue);
  return kinds.length > 0 ? fc.oneof(...kinds) : wildValue;
}

const makers: Record<string, (s: Schema, name: string, inner: Inner) => fc.Arbitrary<unknown>> = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  string: (s, name) => textOf(s, name),
  integer: (s) => fc.integer({ min: lowest(s), max: Math.max(lowest(s), s.maximum ?? lowest(s) + 40) }),
  number: (s) => fc.double({ min: lowest(s), max: Math.max(lowest(s), s.maximum ?? lowest(s) + 4), noNaN: true }),
  array: (s, _, inner) =>
    fc.array(s.items ? inner(s.items) : wildValue, {
      minLength: s.minItems ?? 0,
      maxLength: Math.max(s.minItems ?? 0, Math.min(s.maxItems ?? 3, 3)),
    }),
  object: (s, _, inner) => objectOf(s, inner),
};

const lowest = (s: Schema) => s.minimum ?? (s.exclusiveMinimum === undefined ? 0 : s.exclusiveMinimum + 1);

function textOf(s: Schema, name: string): fc.Arbitrary<unknown> {
  const known = fc.constant<Known>({ $known: name });
  const text = fc.string({
    minLength: s.minLength ?? 0,
    maxLength: Math.min(s.maxLength ?? 20, (s.minLength ?? 0) + 20),
  });
  return fc.oneof({ arbitrary: known, weight: 4 }, { arbitrary: text, weight: 1 });
}

function objectOf(s: Schema, inner: Inner): fc.Arbitrary<unknown> {
  const fields = Object.entries(s.properties ?? {}).map(([name, part]) => [name, inner(part, name)] as const);
  const requiredKeys = (s.required ?? []).filter((name) => s.properties?.[name]);
  const own = fc.record(Object.fromEntries(fields), { requiredKeys });
  if (typeof s.additionalProperties !== "object") return own;
  const more = fc.dictionary(fc.string({ maxLength: 8 }), inner(s.additionalProperties), { maxKeys: 3 });
  return fc.tuple(own, more).map(([a, b]) => ({ ...b, ...(a as object) }));
}

/** Every place in a value. */
export function* placesOf(value: unknown, path: string[] = []): Generator<string[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) yield* placesOf(child, [...path, key]);
}

export function withValueAt(body: unknown, [head, ...rest]: string[], value: unknown): unknown {
  if (head === undefined) return value;
  const copy: Record<string, unknown> = Array.isArray(body) ? ([...body] as never) : { ...(body as object) };
  if (value === gone && rest.length === 0) delete copy[head];
  else
    Object.defineProperty(copy, head, {
      value: withValueAt(copy[head], rest, value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return copy;
}
const gone = Symbol("gone");

/** A valid value with one or two places gone wrong. */
export const spoilt = (valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.oneof(wildValue, fc.constant(gone))), { minLength: 1, maxLength: 2 }))
    .map(([body, wrongs]) =>
      wrongs.reduce<unknown>((spoiling, [at, value]) => {
        const places = [...placesOf(spoiling)];
        const place = places[at % places.length]!;
        return place.length === 0 && value === gone ? {} : withValueAt(spoiling, place, value);
      }, body),
    );

const raw = [
  ...[
    "",
    " ",
    "{",
    "[",
    "null",
    "7",
    '"x"',
    "{}",
    "[]",
    "nul",
    '{"a":}',
    '{"a":1,}',
    "{'a':1}",
    "{}{}",
    "\ufeff{}",
    '{"a":1}//',
    "-",
    "1e999",
  ],
  ...[
    '{"a":"\\ud800"}',
    '{"a":"\\u0000"}',
    '{"__proto__":{"polluted":1}}',
    '{"model":"a","model":"b"}',
    '{"a":"\u0000"}',
    "NaN",
  ],
  ...[
    "[".repeat(100_000),
    `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`,
    `{"a":${"9".repeat(5000)}}`,
    `{"${"k".repeat(90_000)}":1}`,
  ],
  `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":0`).join(",")}}`,
];

/** Bodies that are hardly JSON. */
export const rawBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: fc.constantFrom(...raw).map((text) => new TextEncoder().encode(text)), weight: 6 },
  { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 2 },
);
