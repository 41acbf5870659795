/** PutObject, GetObject, HeadObject, DeleteObject and DeleteObjects. */
import { Readable } from "node:stream";
import { S3Error } from "./errors.ts";
import { checksumHeaders, describingHeaders, keptHeaders } from "./objectHeaders.ts";
import { findObject, removeObject, replaceObject, requireObject, type StoredObject } from "./objectRows.ts";
import { checkWrite, isNotModified } from "./preconditions.ts";
import { parseRange, type Range } from "./range.ts";
import { receiveBody, receiveText, type StoredBody } from "./receive.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";
import { parseXml } from "./xml.ts";

type DeleteXml = { Quiet?: string; Object?: { Key?: string; [other: string]: unknown }[] };

/** Makes a received body an object, in one transaction with its preconditions; when they fail the body is removed. */
export async function commitBody(
  store: S3Store,
  body: StoredBody,
  object: Pick<StoredObject, "bucket" | "key" | "headers" | "tags">,
  conditions: S3Request["headers"],
): Promise<StoredObject> {
  const { segment, etag, checksums } = body;
  const stored = { ...object, segments: [segment], size: segment.size, etag, checksums, modified: Date.now() };
  try {
    store.blobs.retire(store.database.transaction(() => replaceObject(store, stored, conditions)));
  } catch (error) {
    await store.blobs.remove(segment.blob);
    throw error;
  }
  return stored;
}

export async function putObject(store: S3Store, request: S3Request): Promise<S3Response> {
  const kept = keptHeaders(request.headers);
  // A first look spares the upload of a body that cannot be stored; the one that counts is in the transaction.
  checkWrite(request.headers, findObject(store, request));
  const body = await receiveBody(store, request.stream, request.headers);
  const object = await commitBody(store, body, { bucket: request.bucket, key: request.key, ...kept }, request.headers);
  return { status: 200, headers: { ...checksumHeaders(object.checksums), etag: `"${object.etag}"` } };
}

/** `response-content-disposition` and its kin in the query replace the stored header. */
function overrides(query: URLSearchParams): Record<string, string> {
  const prefix = "response-";
  return Object.fromEntries(
    [...query].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

function lengthHeaders(size: number, range: Range | undefined): Record<string, string | number> {
  if (!range) return { "content-length": size };
  const { start, end } = range;
  return { "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` };
}

export function headObject(store: S3Store, request: S3Request): S3Response {
  return describe(requireObject(store, request), request).response;
}

export function getObject(store: S3Store, request: S3Request): S3Response {
  const object = requireObject(store, request);
  const { response, range } = describe(object, request);
  if (response.status === 304 || object.size === 0) return response;
  const { start, end } = range ?? { start: 0, end: object.size - 1 };
  return { ...response, body: Readable.from(store.blobs.read(object.segments, start, end), { objectMode: false }) };
}

function describe(object: StoredObject, request: S3Request): { response: S3Response; range?: Range } {
  if (isNotModified(request.headers, object))
    return { response: { status: 304, headers: { etag: `"${object.etag}"` } } };
  const range = parseRange(request.headers.range, object.size);
  const wantsChecksums = request.headers["x-amz-checksum-mode"] === "ENABLED" && !range;
  const headers = {
    ...describingHeaders(object),
    ...(wantsChecksums ? checksumHeaders(object.checksums) : {}),
    ...overrides(request.query),
    ...lengthHeaders(object.size, range),
  };
  return { response: { status: range ? 206 : 200, headers }, range };
}

export function deleteObject(store: S3Store, request: S3Request): S3Response {
  removeObject(store, request, request.headers);
  return { status: 204 };
}

export async function deleteObjects(store: S3Store, request: S3Request): Promise<S3Response> {
  const { Quiet, Object: entries = [] } = parseXml<DeleteXml>(await receiveText(request), "Delete");
  if (entries.length < 1 || entries.length > 1000) throw new S3Error("MalformedXML");
  const keys = entries.map(({ Key, ...other }) => {
    const [unsupported] = Object.keys(other);
    if (unsupported)
      throw new S3Error("NotImplemented", `The local S3 server does not implement ${unsupported} in Delete.`);
    if (!Key) throw new S3Error("MalformedXML");
    return Key;
  });
  for (const key of keys) removeObject(store, { bucket: request.bucket, key });
  return xmlResponse("DeleteResult", Quiet === "true" ? {} : { Deleted: keys.map((Key) => ({ Key })) });
}
