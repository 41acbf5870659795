/** The headers that belong to an object: which are kept on a write, and how they come back. */
import type { StoredObject } from "./objectRows.ts";
import type { Checksums } from "./receive.ts";
import type { S3Request } from "./request.ts";
import { parseTags } from "./tagging.ts";

const kept = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-server-side-encryption",
];

/** `aws-chunked` describes the transfer, not the object. */
function contentEncoding(value: string): string {
  return value
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "aws-chunked")
    .join(",");
}

/** What a write stores: `headers` and `tags` of the new object. Throws InvalidTag. */
export function keptHeaders(headers: S3Request["headers"]): { headers: Record<string, string>; tags: string } {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!value || !(kept.includes(name) || name.startsWith("x-amz-meta-"))) continue;
    const stored = name === "content-encoding" ? contentEncoding(value) : value;
    if (stored) result[name] = stored;
  }
  return { headers: result, tags: parseTags(headers["x-amz-tagging"] ?? "").toString() };
}

export function checksumHeaders(checksums: Checksums): Record<string, string> {
  return Object.fromEntries(Object.entries(checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]));
}

/** What GET and HEAD answer with, apart from length, range and checksums. */
export function describingHeaders(object: StoredObject): Record<string, string> {
  const tagCount = parseTags(object.tags).size;
  return {
    "content-type": "binary/octet-stream",
    ...object.headers,
    ...(tagCount ? { "x-amz-tagging-count": String(tagCount) } : {}),
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modified).toUTCString(),
    "accept-ranges": "bytes",
  };
}
