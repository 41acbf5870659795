/** Multipart uploads up to their completion: create, upload a part, list, abort. */
import { randomUUID } from "node:crypto";
import { createDigest } from "./digests.ts";
import { S3Error } from "./errors.ts";
import { checksumHeaders, keptHeaders } from "./objectHeaders.ts";
import { type Checksums, receiveBody } from "./receive.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";

export type Upload = { id: string; headers: Record<string, string>; tags: string; algorithm?: string };
export type Part = { number: number; blob: string; size: number; etag: string; checksums: Checksums; modified: number };

/** The upload that the request names, of this bucket and key only. Throws NoSuchUpload. */
export function requireUpload({ database }: S3Store, { bucket, key, query }: S3Request): Upload {
  const id = query.get("uploadId") ?? "";
  const row = database.sql.get`select * from uploads where id = ${id} and bucket = ${bucket} and key = ${key}`;
  if (!row) throw new S3Error("NoSuchUpload");
  const algorithm = row.algorithm === null ? undefined : String(row.algorithm);
  return { id, headers: JSON.parse(String(row.headers)), tags: String(row.tags), algorithm };
}

/** In ascending order of their numbers. */
export function findParts({ database }: S3Store, upload: string): Part[] {
  const rows = database.sql.all`select * from parts where upload = ${upload} order by number`;
  return rows.map((row) => ({ ...(row as Omit<Part, "checksums">), checksums: JSON.parse(String(row.checksums)) }));
}

/** Forgets the upload and its parts, not their blobs. Call it inside a transaction. */
export function forgetUpload({ database }: S3Store, upload: string): void {
  database.sql.run`delete from parts where upload = ${upload}`;
  database.sql.run`delete from uploads where id = ${upload}`;
}

export function createMultipartUpload({ database }: S3Store, { bucket, key, headers }: S3Request): S3Response {
  const kept = keptHeaders(headers);
  const algorithm = headers["x-amz-checksum-algorithm"]?.toLowerCase();
  if (algorithm) createDigest(algorithm);
  const id = randomUUID();
  database.sql.run`
    insert into uploads (id, bucket, key, headers, tags, algorithm, initiated)
    values (${id}, ${bucket}, ${key}, ${JSON.stringify(kept.headers)}, ${kept.tags}, ${algorithm ?? null}, ${Date.now()})`;
  return xmlResponse("InitiateMultipartUploadResult", { Bucket: bucket, Key: key, UploadId: id });
}

function partNumber({ query }: S3Request): number {
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  return number;
}

export async function uploadPart(store: S3Store, request: S3Request): Promise<S3Response> {
  const { sql } = store.database;
  const { id, algorithm } = requireUpload(store, request);
  const number = partNumber(request);
  const { segment, etag, checksums } = await receiveBody(store, request.stream, request.headers, { algorithm });
  try {
    const replaced = store.database.transaction(() => {
      // The upload may have been aborted or completed while the body came in.
      requireUpload(store, request);
      const old = sql.all`select blob from parts where upload = ${id} and number = ${number}`;
      sql.run`
        insert or replace into parts (upload, number, blob, size, etag, checksums, modified) values
        (${id}, ${number}, ${segment.blob}, ${segment.size}, ${etag}, ${JSON.stringify(checksums)}, ${Date.now()})`;
      return old;
    });
    store.blobs.retire(replaced.map((row) => String(row.blob)));
  } catch (error) {
    await store.blobs.remove(segment.blob);
    throw error;
  }
  return { status: 200, headers: { ...checksumHeaders(checksums), etag: `"${etag}"` } };
}

export function abortMultipartUpload(store: S3Store, request: S3Request): S3Response {
  const { id } = requireUpload(store, request);
  const parts = findParts(store, id);
  store.database.transaction(() => forgetUpload(store, id));
  store.blobs.retire(parts.map((part) => part.blob));
  return { status: 204 };
}

export function listParts(store: S3Store, request: S3Request): S3Response {
  const { bucket, key, query } = request;
  const { id } = requireUpload(store, request);
  const after = Number(query.get("part-number-marker") ?? 0);
  const limit = Math.min(Number(query.get("max-parts") ?? 1000), 1000);
  const rest = findParts(store, id).filter((part) => part.number > after);
  const page = rest.slice(0, limit);
  return xmlResponse("ListPartsResult", {
    Bucket: bucket,
    Key: key,
    UploadId: id,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number,
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modified).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.size,
    })),
  });
}

/** All of them in one answer, however many: S3 would page after 1,000. */
export function listMultipartUploads({ database }: S3Store, { bucket, query }: S3Request): S3Response {
  const prefix = query.get("prefix") ?? "";
  const rows = database.sql
    .all`select id, key, initiated from uploads where bucket = ${bucket} order by key, initiated`;
  const uploads = rows.filter((row) => String(row.key).startsWith(prefix));
  return xmlResponse("ListMultipartUploadsResult", {
    Bucket: bucket,
    Prefix: prefix,
    IsTruncated: false,
    Upload: uploads.map((row) => ({
      Key: String(row.key),
      UploadId: String(row.id),
      Initiated: new Date(Number(row.initiated)).toISOString(),
    })),
  });
}
