/** The rows of objects: the only place that reads and writes the objects table, except listing. */
import type { Segment } from "./blobs.ts";
import { S3Error } from "./errors.ts";
import { checkWrite } from "./preconditions.ts";
import type { Checksums } from "./receive.ts";
import type { S3Request } from "./request.ts";
import type { S3Store } from "./store.ts";

export type StoredObject = {
  bucket: string;
  key: string;
  segments: Segment[];
  size: number;
  /** Unquoted. */
  etag: string;
  checksums: Checksums;
  /** What GET replays: content-type and its kin, and `x-amz-meta-*`. */
  headers: Record<string, string>;
  /** As in a query string: `a=b&c=d`. */
  tags: string;
  /** Milliseconds since the epoch. */
  modified: number;
};

export type ObjectName = { bucket: string; key: string };

export function findObject({ database }: S3Store, { bucket, key }: ObjectName): StoredObject | undefined {
  const row = database.sql.get`select * from objects where bucket = ${bucket} and key = ${key}`;
  if (!row) return undefined;
  return {
    bucket,
    key,
    segments: JSON.parse(String(row.segments)),
    size: Number(row.size),
    etag: String(row.etag),
    checksums: JSON.parse(String(row.checksums)),
    headers: JSON.parse(String(row.headers)),
    tags: String(row.tags),
    modified: Number(row.modified),
  };
}

/** Throws NoSuchKey. */
export function requireObject(store: S3Store, name: ObjectName): StoredObject {
  const object = findObject(store, name);
  if (!object) throw new S3Error("NoSuchKey");
  return object;
}

/**
 * Checks the preconditions in `conditions` and writes the row. Call it inside a transaction; it returns the blobs it
 * replaced, to be retired once the transaction is through.
 */
export function replaceObject(store: S3Store, object: StoredObject, conditions: S3Request["headers"]): string[] {
  const current = findObject(store, object);
  checkWrite(conditions, current);
  store.database.sql.run`
    insert or replace into objects (bucket, key, segments, size, etag, checksums, headers, tags, modified)
    values (${object.bucket}, ${object.key}, ${JSON.stringify(object.segments)}, ${object.size}, ${object.etag},
      ${JSON.stringify(object.checksums)}, ${JSON.stringify(object.headers)}, ${object.tags}, ${object.modified})`;
  return current?.segments.map((segment) => segment.blob) ?? [];
}

/** Deleting what is not there succeeds, unless `conditions` hold an If-Match. */
export function removeObject(store: S3Store, name: ObjectName, conditions: S3Request["headers"] = {}): void {
  const removed = store.database.transaction(() => {
    const current = findObject(store, name);
    checkWrite({ "if-match": conditions["if-match"] }, current);
    store.database.sql.run`delete from objects where bucket = ${name.bucket} and key = ${name.key}`;
    return current;
  });
  store.blobs.retire(removed?.segments.map((segment) => segment.blob) ?? []);
}
