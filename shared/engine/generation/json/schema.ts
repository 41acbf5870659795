/**
 * A JSON schema as a grammar: the subset that OpenAI calls strict, and a little more. Properties are written in the
 * order of the schema, those that are not required may be left out, and none is added.
 */
import { isObject } from "../../weights/checkpointFiles.ts";
import { choice, empty, literal, type Rule, reference, sequence } from "./rules.ts";
import {
  arrayOf,
  boolean,
  comma,
  integer,
  member,
  nothing,
  number,
  object,
  objectOf,
  stringOf,
  value,
} from "./values.ts";

/** What of a schema cannot be held to. `path` is from the schema's root, such as `properties.name.pattern`; "": the root. */
export class JsonSchemaError extends Error {
  override name = "JsonSchemaError";
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

type Schema = Readonly<Record<string, unknown>>;
type TypeName = keyof typeof types;

const deepest = 64;
const mostParts = 10_000;
const mostCounted = 10_000;

/** Words that change nothing about what fits. */
const remarks = [
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "$schema",
  "$id",
  "$comment",
  "$defs",
  "definitions",
];
const choosing = ["$ref", "anyOf", "enum", "const", "type"];

const types = {
  object: { keywords: ["properties", "required", "additionalProperties"], rule: objectRule },
  array: { keywords: ["items", "minItems", "maxItems"], rule: arrayRule },
  string: { keywords: ["minLength", "maxLength"], rule: stringRule },
  number: { keywords: [], rule: () => number },
  integer: { keywords: [], rule: () => integer },
  boolean: { keywords: [], rule: () => boolean },
  null: { keywords: [], rule: () => nothing },
} as const satisfies Record<string, { keywords: readonly string[]; rule: (part: Part) => Rule }>;

/** A schema within the whole. */
interface Part {
  readonly schema: Schema;
  readonly path: string;
  readonly depth: number;
  readonly reading: Reading;
}

interface Reading {
  readonly root: unknown;
  /** Rules of what references lead to, by reference; undefined while they are read. */
  readonly references: Map<string, Rule | undefined>;
  parts: number;
}

/** Throws JsonSchemaError. */
export function schemaRule(schema: unknown): Rule {
  const references = new Map<string, Rule | undefined>();
  const rule = read(schema, "", 0, { root: schema, references, parts: 0 });
  for (const [pointer, target] of references) {
    if (returns(target!, target!))
      throw new JsonSchemaError("", `has a "$ref" to ${pointer}, which is nothing but itself`);
  }
  return rule;
}

/** Whether a rule leads to another before anything is written. */
function returns(rule: Rule, to: Rule, seen = new Set<Rule>()): boolean {
  if (seen.has(rule)) return rule === to;
  seen.add(rule);
  if (rule.kind === "reference") return returns(rule.rule(), to, seen);
  return rule.kind === "choice" && rule.rules.some((branch) => returns(branch, to, seen));
}

function read(schema: unknown, path: string, depth: number, reading: Reading): Rule {
  if (schema === true) return value;
  if (!isObject(schema)) throw new JsonSchemaError(path, "is no schema");
  if (depth > deepest) throw new JsonSchemaError(path, `lies deeper than ${deepest} schemas`);
  if (++reading.parts > mostParts) throw new JsonSchemaError(path, `is one of more than ${mostParts} parts`);
  const part: Part = { schema, path, depth, reading };
  const chosen = choosing.find((word) => schema[word] !== undefined);
  if (chosen === "$ref") return referenceRule(part);
  if (chosen === "anyOf") return unionRule(part);
  if (chosen === "enum" || chosen === "const") return constantRule(part);
  return typedRule(part);
}

const inner = ({ path, depth, reading }: Part, schema: unknown, ...names: (string | number)[]): Rule =>
  read(schema, names.reduce<string>(joined, path), depth + 1, reading);

function joined(path: string, name: string | number): string {
  return typeof name === "number" ? `${path}[${name}]` : `${path}${path && "."}${name}`;
}

const fault = ({ path }: Part, word: string, message: string) => new JsonSchemaError(joined(path, word), message);

/** Refuses what would be ignored otherwise. */
function supportOnly(part: Part, ...words: readonly string[]): void {
  const odd = Object.keys(part.schema).find((word) => !words.includes(word) && !remarks.includes(word));
  if (odd !== undefined) throw fault(part, odd, "is not supported here");
}

function typedRule(part: Part): Rule {
  const { type = Object.keys(types) } = part.schema;
  const names = [type].flat();
  const odd = names.find((name) => typeof name !== "string" || !Object.hasOwn(types, name));
  if (odd !== undefined || names.length === 0) {
    throw fault(part, "type", `must be one or several of ${Object.keys(types).join(", ")}`);
  }
  const known = names.map((name) => types[name as TypeName]);
  supportOnly(part, "type", ...known.flatMap(({ keywords }) => [...keywords]));
  // Without a type, any value that has not the type a keyword speaks of would fit.
  const keyword =
    part.schema.type === undefined &&
    known.flatMap(({ keywords }) => [...keywords]).find((word) => part.schema[word] !== undefined);
  if (keyword) throw fault(part, "type", `is missing beside "${keyword}"`);
  return choice(...known.map(({ rule }) => rule(part)));
}

function objectRule(part: Part): Rule {
  const { properties = {}, required = [], additionalProperties } = part.schema;
  if (!isObject(properties)) throw fault(part, "properties", "must be an object of schemas");
  if (!Array.isArray(required)) throw fault(part, "required", "must be a list of properties");
  if (additionalProperties !== undefined && typeof additionalProperties !== "boolean") {
    throw fault(part, "additionalProperties", "must be true or false");
  }
  const lacking = required.find((name) => !Object.hasOwn(properties, name));
  if (lacking !== undefined) throw fault(part, "required", `names ${JSON.stringify(lacking)}, which is no property`);
  if (part.schema.properties === undefined && additionalProperties !== false) return object;
  const members = Object.entries(properties).map(([name, schema]) => ({
    rule: member(literal(JSON.stringify(name)), inner(part, schema, "properties", name)),
    isRequired: required.includes(name),
  }));
  return objectOf(membersRule(members));
}

/** From the last member on: what follows where some was written before, and what follows where none was. */
function membersRule(members: readonly { rule: Rule; isRequired: boolean }[]): Rule {
  let [behindOthers, first]: [Rule, Rule] = [empty, empty];
  for (const { rule, isRequired } of members.toReversed()) {
    const [another, alone] = [sequence(comma, rule, behindOthers), sequence(rule, behindOthers)];
    [behindOthers, first] = isRequired ? [another, alone] : [choice(another, behindOthers), choice(alone, first)];
  }
  return first;
}

function arrayRule(part: Part): Rule {
  const { items = true } = part.schema;
  return arrayOf(inner(part, items, "items"), ...bounds(part, "minItems", "maxItems"));
}

function stringRule(part: Part): Rule {
  return stringOf(...bounds(part, "minLength", "maxLength"));
}

function bounds(part: Part, least: string, most: string): [number, number] {
  const read = (word: string, fallback: number): number => {
    const count = part.schema[word] ?? fallback;
    if (count === fallback || (Number.isInteger(count) && (count as number) >= 0 && (count as number) <= mostCounted)) {
      return count as number;
    }
    throw fault(part, word, `must be an integer from 0 to ${mostCounted}`);
  };
  const [from, to] = [read(least, 0), read(most, Number.POSITIVE_INFINITY)];
  if (from > to) throw fault(part, least, `is larger than "${most}"`);
  return [from, to];
}

function unionRule(part: Part): Rule {
  supportOnly(part, "anyOf");
  const { anyOf } = part.schema;
  if (!Array.isArray(anyOf) || anyOf.length === 0) throw fault(part, "anyOf", "must be a list of schemas");
  return choice(...anyOf.map((schema, i) => inner(part, schema, "anyOf", i)));
}

/** Values are written as short as JSON can. */
function constantRule(part: Part): Rule {
  const { enum: values, const: only, type } = part.schema;
  if (values !== undefined && only !== undefined) throw fault(part, "const", 'is not supported beside "enum"');
  supportOnly(part, "enum", "const", "type");
  const all = values ?? [only];
  if (!Array.isArray(all) || all.length === 0) throw fault(part, "enum", "must be a list of values");
  const odd = type === undefined ? undefined : all.find((each) => ![type].flat().some((name) => isOf(name, each)));
  if (odd !== undefined) throw fault(part, "type", `does not fit ${JSON.stringify(odd)}`);
  return choice(...all.map((each) => literal(JSON.stringify(each))));
}

function isOf(type: unknown, each: unknown): boolean {
  if (type === "integer") return Number.isInteger(each);
  if (type === "null") return each === null;
  if (type === "array") return Array.isArray(each);
  return type === "object" ? isObject(each) : typeof each === type;
}

/** A pointer into this schema, RFC 6901; it may lead back to where it stands. */
function referenceRule(part: Part): Rule {
  supportOnly(part, "$ref");
  const { $ref: pointer } = part.schema;
  const { reading } = part;
  if (typeof pointer !== "string" || !/^#(\/|$)/.test(pointer)) {
    throw fault(part, "$ref", 'must point into this schema, as "#/$defs/name" does');
  }
  if (!reading.references.has(pointer)) {
    reading.references.set(pointer, undefined);
    const target = pointed(part, pointer);
    reading.references.set(pointer, read(target, part.path, part.depth + 1, reading));
  }
  return reference(() => reading.references.get(pointer)!);
}

function pointed(part: Part, pointer: string): unknown {
  const names = pointer.split("/").slice(1);
  return names.reduce((found: unknown, name) => {
    const key = decoded(name).replaceAll("~1", "/").replaceAll("~0", "~");
    const next =
      typeof found === "object" && found !== null && Object.hasOwn(found, key) ? (found as Schema)[key] : undefined;
    if (next === undefined) throw fault(part, "$ref", `leads to ${JSON.stringify(pointer)}, which is not there`);
    return next;
  }, part.reading.root);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
