/** If-Match and its kin: on writes they make concurrent changes safe, on reads they save transfers. */
import { notImplemented, S3Error } from "./errors.ts";
import type { S3Request } from "./request.ts";

type Headers = S3Request["headers"];

function names(header: string, etag: string): boolean {
  return (
    header === "*" || header.split(",").some((value) => value.trim().replace(/^W\//, "").replaceAll('"', "") === etag)
  );
}

/** Throws 412 PreconditionFailed, or 404 when If-Match meets no object. Call it in the transaction that writes. */
export function checkWrite(headers: Headers, current: { etag: string } | undefined): void {
  const { "if-match": match, "if-none-match": noneMatch } = headers;
  if (noneMatch !== undefined && noneMatch !== "*") throw notImplemented(`If-None-Match: ${noneMatch} on a write`);
  if (noneMatch && current) throw new S3Error("PreconditionFailed");
  if (match === undefined) return;
  if (!current) throw new S3Error("NoSuchKey");
  if (!names(match, current.etag)) throw new S3Error("PreconditionFailed");
}

/** Whether a read should be answered 304. Throws 412 PreconditionFailed. `prefix` selects a copy's own headers. */
export function isNotModified(headers: Headers, current: { etag: string; modified: number }, prefix = ""): boolean {
  const match = headers[`${prefix}if-match`];
  const noneMatch = headers[`${prefix}if-none-match`];
  const seconds = Math.floor(current.modified / 1000) * 1000;
  const changedSince = (date: string | undefined) => date === undefined || seconds > Date.parse(date);
  if (match !== undefined) {
    if (!names(match, current.etag)) throw new S3Error("PreconditionFailed");
  } else {
    const since = headers[`${prefix}if-unmodified-since`];
    if (since !== undefined && changedSince(since)) throw new S3Error("PreconditionFailed");
  }
  if (noneMatch !== undefined) return names(noneMatch, current.etag);
  return !changedSince(headers[`${prefix}if-modified-since`]);
}
