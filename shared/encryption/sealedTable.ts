/**
 * The table's door for deployments that seal: what rows say is sealed on its way in and opened on its way out, each value for
 * the row and attribute that it is in. Rows whose key is deleted are refused, or told without what they said; see `rowContent.ts`.
 */
import { isDeepStrictEqual } from "node:util";
import type { Changes, Item, Key, QueryOptions, Table, TransactWrite } from "../stores/table.ts";
import { KeyGone } from "./keyProvider.ts";
import type { OpenKey } from "./organizationKeys.ts";
import { type Content, contentOf, type RowContent } from "./rowContent.ts";
import { openValue, sealValue, versionOf } from "./sealedValues.ts";
import type { Sealing } from "./sealing.ts";

type Keys = Pick<Sealing, "rows" | "refusal">;

/** A value of its own, or a payload's text: sealed as bytes. */
interface Leaf {
  content: Content;
  /** Where it lies, to which it is bound. */
  of: string;
  value: unknown;
  isPayload: boolean;
}

/** What is there in its place. */
type Change = (leaf: Leaf) => unknown;

export function sealTable(table: Table, { rows, refusal }: Keys): Table {
  const seal = async <Attributes extends Changes>(key: Key, attributes: Attributes): Promise<Attributes> => {
    const known = contentOf(key.pk);
    if (!known || !hasContent(known.content, attributes)) return attributes;
    const { project, content } = known;
    const current = await unlessGone(rows.current(project));
    return changed(key, content, attributes, (leaf) => {
      if (current instanceof KeyGone && !leaf.content.unsealed) throw refusal(current);
      return current instanceof KeyGone ? leaf.content.unsealed?.(project) : sealed(current, leaf);
    });
  };

  /** Throws KeyGone where the row says nothing without what cannot be opened. */
  const open = async (item: Item): Promise<Item> => {
    const key = keyOf(item);
    const known = contentOf(key.pk);
    if (!known || !hasContent(known.content, item)) return item;
    const { project, content } = known;
    const versions = new Map<number | "plain", OpenKey | KeyGone | undefined>();
    changed(key, content, item, ({ value }) => versions.set(versionIn(value), undefined));
    for (const version of versions.keys()) {
      if (version !== "plain") versions.set(version, await unlessGone(rows.version(project, version)));
      else if (!(await rows.isPlainReadable(project))) versions.set(version, new KeyGone(project));
    }
    return changed(key, content, item, (leaf) => {
      const found = versions.get(versionIn(leaf.value));
      if (found instanceof KeyGone) return lost(leaf, project, found);
      return found ? opened(found, leaf) : original(leaf);
    });
  };

  /** Without those that a deletion took, where there is a key again; refused where there is none. */
  const openAll = async (items: readonly Item[]): Promise<Item[]> => {
    const found = await Promise.all(items.map((item) => unlessGone(open(item))));
    const gone = found.findIndex((one) => one instanceof KeyGone);
    if (gone >= 0) await refusing(rows.current(contentOf(keyOf(items[gone]!).pk)!.project));
    return found.filter((one): one is Item => !(one instanceof KeyGone));
  };
  const refusing = async <Value>(asked: Promise<Value>): Promise<Value> => {
    const found = await unlessGone(asked);
    if (found instanceof KeyGone) throw refusal(found);
    return found;
  };

  const written = async (write: TransactWrite): Promise<TransactWrite> => {
    if (write.type === "update") return { ...write, changes: await seal(write.key, write.changes) };
    return "item" in write ? { ...write, item: await seal(write.key, write.item) } : write;
  };

  return {
    ...table,
    async get(key) {
      const item = await table.get(key);
      return item && refusing(open(item));
    },
    getMany: async (keys) => openAll(await table.getMany(keys)),
    create: async (key, item) => table.create(key, await seal(key, item)),
    update: async (key, changes, condition) => table.update(key, await seal(key, changes), condition),
    query: (pk, options) => queryOpened(table, openAll, pk, options),
    // Whoever looks for work of all projects must not stop at one of them, and needs ids alone.
    dueWork: async (...asked) => (await table.dueWork(...asked)).map(unopened),
    transact: async (writes) => table.transact(await Promise.all(writes.map(written))),
  };
}

const keyOf = ({ pk, sk }: Item): Key => ({ pk: String(pk), sk: String(sk) });

async function unlessGone<Value>(asked: Promise<Value>): Promise<Value | KeyGone> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof KeyGone) return error;
    throw error;
  }
}

/** What says nothing is not sealed. */
function isEmpty(value: unknown): boolean {
  if (value == null || value === "") return true;
  if (typeof value !== "object" || value instanceof Uint8Array) return false;
  for (const _name in value) return false;
  return true;
}

const hasContent = (content: RowContent, attributes: Changes): boolean =>
  Object.keys(content).some((name) => !isEmpty(attributes[name]));

function changed<Attributes extends Changes>(
  { pk, sk }: Key,
  contents: RowContent,
  attributes: Attributes,
  change: Change,
): Attributes {
  const filled = Object.entries(contents).filter(([name]) => !isEmpty(attributes[name]));
  const changes = filled.map(([name, content]) => {
    const leaf = (value: unknown, path: readonly string[], isPayload: boolean) =>
      change({ content, value, isPayload, of: JSON.stringify([pk, sk, ...path]) });
    const value = attributes[name];
    return [name, content.is === "payload" ? inPayloads(value, [name], leaf) : leaf(value, [name], false)];
  });
  return { ...attributes, ...Object.fromEntries(changes) };
}

/** Of a payload, or of an object that holds some, its texts are changed alone. */
function inPayloads(
  value: unknown,
  path: readonly string[],
  change: (text: unknown, path: readonly string[], isPayload: boolean) => unknown,
): unknown {
  if (value === null || typeof value !== "object" || "object_key" in value) return value;
  if ("json" in value) return change(value.json, path, true);
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, inPayloads(part, [...path, name], change)]),
  );
}

const bytesOf = (value: unknown): Buffer | undefined =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;

function versionIn(value: unknown): number | "plain" {
  const bytes = bytesOf(value);
  return bytes ? versionOf(bytes) : "plain";
}

const original = ({ value, isPayload }: Leaf) => (isPayload ? { json: value } : value);

function sealed(key: OpenKey, { value, of, isPayload }: Leaf) {
  return isPayload ? { json: sealValue(key, of, String(value)) } : sealValue(key, of, JSON.stringify(value));
}

function opened(key: OpenKey, { value, of, isPayload }: Leaf) {
  const text = openValue(key, of, bytesOf(value)!);
  return isPayload ? { json: text } : JSON.parse(text);
}

function lost({ content }: Leaf, project: string, cause: KeyGone) {
  if (!content.lost) throw cause;
  return content.lost(project);
}

/** As if its key were deleted, without a look at whether it is. */
function unopened(item: Item): Item {
  const key = keyOf(item);
  const known = contentOf(key.pk);
  if (!known) return item;
  return changed(key, known.content, item, (leaf) =>
    bytesOf(leaf.value) ? leaf.content.lost?.(known.project) : original(leaf),
  );
}

/** Asks for more where what is sealed does not fit, or cannot be opened any more. */
async function queryOpened(
  table: Table,
  openAll: (items: readonly Item[]) => Promise<Item[]>,
  pk: string,
  { equals = {}, ...options }: QueryOptions,
): Promise<Item[]> {
  const content = contentOf(pk)?.content ?? {};
  const isSealed = (path: string) => path.split(".", 1)[0]! in content;
  const paths = Object.entries(equals);
  const here = paths.filter(([path]) => isSealed(path));
  const there = Object.fromEntries(paths.filter(([path]) => !isSealed(path)));
  const found: Item[] = [];
  for (let after = options.after; ; ) {
    const items = await table.query(pk, { ...options, ...(after !== undefined && { after }), equals: there });
    const opened = await openAll(items);
    found.push(...opened.filter((item) => here.every(([path, value]) => isDeepStrictEqual(at(item, path), value))));
    if (items.length < options.limit || found.length >= options.limit) return found.slice(0, options.limit);
    after = String(items.at(-1)!.sk);
  }
}

/** Only the first dot parts what it is in, as the table has it. */
function at(item: Item, path: string): unknown {
  const [, first, rest] = /^([^.]+)(?:\.(.*))?$/s.exec(path)!;
  const value = item[first!];
  return rest === undefined ? value : (value as Record<string, unknown> | null | undefined)?.[rest];
}
