/**
 * Rows of keys of any kind. A row is found by the hash of its secret, which leads to whoever the key belongs to; that
 * one's list has a pointer to it by its id. One transaction writes both, and the line of the audit log that tells of it.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyRecord } from "../schemas/apiKey.ts";
import type { Changes, Item, Table, TransactWrite } from "./table.ts";

export interface Secret {
  secret: string;
  /** What is kept of it. */
  kept: Pick<KeyRecord, "hash" | "hint">;
}

export interface Listing {
  limit: number;
  after?: string;
  descending?: boolean;
}

export interface KeyRows<Row extends KeyRecord> {
  /** The row and its pointer, as part of a transaction. */
  creations(row: Row): TransactWrite[];
  /** Where there is one of this id, its maker died before anybody saw its secret: this one takes its place. */
  create(row: Row, also?: readonly TransactWrite[]): Promise<void>;
  /** By the hash of its secret, see `keyHash`. */
  find(hash: string): Promise<Row | undefined>;
  get(owner: string, id: string): Promise<Row | undefined>;
  list(owner: string, listing: Listing): Promise<Row[]>;
  /** False where it is gone. */
  update(row: Row, changes: Changes, also: readonly TransactWrite[]): Promise<boolean>;
  /** Tells when it was last used, unless that is known of later. */
  used(row: Row, at: number): Promise<boolean>;
  /** False where it is gone already. */
  delete(row: Row, also: readonly TransactWrite[]): Promise<boolean>;
}

export interface KeyNoun<Row> {
  noun: string;
  parse(item: Item): Row;
  /** Id of the project or the organization that it opens. */
  ownerOf(row: Row): string;
}

/** 256 random bits need no slow hash: there is nothing to guess. */
export const keyHash = (secret: string) => hash("sha256", secret);

export function newSecret(prefix: string): Secret {
  const secret = `${prefix}${randomBytes(32).toString("base64url")}`;
  return { secret, kept: { hash: keyHash(secret), hint: secret.slice(-4) } };
}

/** In a time that does not depend on where two hashes part. */
const isSame = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export function createKeyRows<Row extends KeyRecord>(
  table: Table,
  { noun, parse, ownerOf }: KeyNoun<Row>,
): KeyRows<Row> {
  const keyOf = (hash: string) => ({ pk: `${noun}#${hash}`, sk: noun });
  const pointerOf = (owner: string, id: string) => ({ pk: `${owner}#${noun}`, sk: id });
  const find: KeyRows<Row>["find"] = async (hash) => {
    const item = await table.get(keyOf(hash));
    const row = item && parse(item);
    return row && isSame(row.hash, hash) ? row : undefined;
  };
  const creations: KeyRows<Row>["creations"] = (row) => [
    { type: "create", key: keyOf(row.hash), item: row },
    { type: "create", key: pointerOf(ownerOf(row), row.id), item: { hash: row.hash } },
  ];
  const get: KeyRows<Row>["get"] = async (owner, id) => {
    const pointer = await table.get(pointerOf(owner, id));
    return pointer && find(String(pointer.hash));
  };
  const replacements = (old: Row, row: Row): TransactWrite[] => [
    { type: "delete", key: keyOf(old.hash), condition: { expression: "attribute_not_exists(last_used_at)" } },
    { type: "create", key: keyOf(row.hash), item: row },
    { type: "put", key: pointerOf(ownerOf(row), row.id), item: { hash: row.hash } },
  ];
  return {
    find,
    creations,
    async create(row, also = []) {
      if (await table.transact([...creations(row), ...also])) return;
      const unseen = await get(ownerOf(row), row.id);
      if (!unseen || !(await table.transact(replacements(unseen, row))))
        throw new Error(`The ${noun} ${row.id} exists`);
    },
    get,
    async list(owner, listing) {
      const pointers = await table.query(`${owner}#${noun}`, listing);
      const items = await table.getMany(pointers.map(({ hash }) => keyOf(String(hash))));
      const rows = new Map(items.map(parse).map((row) => [row.id, row]));
      return pointers.flatMap(({ sk }) => rows.get(String(sk)) ?? []);
    },
    update(row, changes, also) {
      const condition = { expression: "attribute_exists(sk)" };
      return table.transact([{ type: "update", key: keyOf(row.hash), changes, condition }, ...also]);
    },
    used(row, at) {
      const expression = "attribute_not_exists(#used) OR #used < :at";
      const condition = { expression, names: { "#used": "last_used_at" }, values: { ":at": at } };
      return table.update(keyOf(row.hash), { last_used_at: at }, condition);
    },
    delete(row, also) {
      const condition = { expression: "attribute_exists(sk)" };
      return table.transact([
        { type: "delete", key: keyOf(row.hash), condition },
        { type: "delete", key: pointerOf(ownerOf(row), row.id) },
        ...also,
      ]);
    },
  };
}
