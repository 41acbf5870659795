/** One S3 request, parsed from HTTP, and the answer an operation gives. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { S3Error } from "./errors.ts";
import { writeXml, type XmlContent } from "./xml.ts";

export type S3Request = {
  method: string;
  /** As sent, still percent-encoded: what signatures cover. Never normalised, because `a/../b` is a valid key. */
  path: string;
  query: URLSearchParams;
  /** Lower-case names; for presigned URLs also the `x-amz-*` headers that the signer moved into the query. */
  headers: Record<string, string | undefined>;
  bucket: string;
  key: string;
  stream: IncomingMessage;
};

export type S3Response = { status: number; headers?: Record<string, string | number>; body?: string | Readable };

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidArgument", `The path is not valid percent-encoding: ${text}`);
  }
}

/** Path style only: `/bucket/key`. */
export function parseRequest(stream: IncomingMessage): S3Request {
  const url = stream.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  const headers: S3Request["headers"] = {};
  for (const [name, value] of Object.entries(stream.headers)) headers[name] = String(value);
  if (query.has("X-Amz-Signature")) {
    for (const [name, value] of query) if (name.startsWith("x-amz-")) headers[name] ??= value;
  }
  const slash = path.indexOf("/", 1);
  const bucket = decode(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? "" : decode(path.slice(slash + 1));
  if (Buffer.byteLength(key) > 1024) throw new S3Error("KeyTooLongError");
  return { method: stream.method ?? "GET", path, query, headers, bucket, key, stream };
}

export function xmlResponse(root: string, content: { [name: string]: XmlContent }): S3Response {
  return { status: 200, headers: { "content-type": "application/xml" }, body: writeXml(root, content) };
}
