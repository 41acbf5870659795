/** CopyObject: streams the source into a new blob, so that source and copy never share bytes on disk. */
import { notImplemented, S3Error } from "./errors.ts";
import { keptHeaders } from "./objectHeaders.ts";
import { requireObject, type StoredObject } from "./objectRows.ts";
import { commitBody } from "./objects.ts";
import { isNotModified } from "./preconditions.ts";
import { receiveBody } from "./receive.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";

function findSource(store: S3Store, headers: S3Request["headers"]): StoredObject {
  const source = headers["x-amz-copy-source"] ?? "";
  const [path = "", version] = source.split("?");
  if (version) throw notImplemented(`${version} in x-amz-copy-source`);
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/.exec(decodeURIComponent(path)) ?? [];
  if (!bucket || !key) throw new S3Error("InvalidArgument", `x-amz-copy-source must be bucket/key, not ${source}`);
  const object = requireObject(store, { bucket, key });
  if (isNotModified(headers, object, "x-amz-copy-source-")) throw new S3Error("PreconditionFailed");
  return object;
}

export async function copyObject(store: S3Store, request: S3Request): Promise<S3Response> {
  const { bucket, key, headers } = request;
  const source = findSource(store, headers);
  const given = keptHeaders(headers);
  const kept = {
    headers: headers["x-amz-metadata-directive"] === "REPLACE" ? given.headers : source.headers,
    tags: headers["x-amz-tagging-directive"] === "REPLACE" ? given.tags : source.tags,
  };
  const bytes = store.blobs.read(source.segments, 0, source.size - 1);
  const [algorithm] = Object.keys(source.checksums);
  const body = await receiveBody(store, bytes, {}, { algorithm });
  const copy = await commitBody(store, body, { bucket, key, ...kept }, headers);
  return xmlResponse("CopyObjectResult", {
    ETag: `"${copy.etag}"`,
    LastModified: new Date(copy.modified).toISOString(),
  });
}
