/** Finds the operation a request asks for, and refuses by name every parameter or header that it does not have. */
import { localAccount } from "../credentials.ts";
import { notImplemented } from "./errors.ts";
import type { S3Request } from "./request.ts";
import { type Route, routes } from "./routes.ts";

/** Query parameters of any request: presigning, and the SDK's name for the operation. */
const commonQuery = ["X-Amz-*", "x-id"];

/** `x-amz-*` headers of any request: signing, framing and checksums, which the server acts on or need not know. */
const commonHeaders = [
  "x-amz-date",
  "x-amz-content-sha256",
  "x-amz-security-token",
  "x-amz-user-agent",
  "x-amz-decoded-content-length",
  "x-amz-trailer",
  "x-amz-expected-bucket-owner",
  "x-amz-sdk-checksum-algorithm",
  ...["crc32", "crc32c", "crc64nvme", "sha1", "sha256"].map((name) => `x-amz-checksum-${name}`),
];

/** Headers whose other values would ask for something that is not there. */
const acceptedValues: Record<string, string[]> = {
  "x-amz-acl": ["private", "bucket-owner-full-control"],
  "x-amz-checksum-mode": ["ENABLED"],
  "x-amz-checksum-type": ["COMPOSITE"],
  "x-amz-expected-bucket-owner": [localAccount],
  "x-amz-metadata-directive": ["COPY", "REPLACE"],
  "x-amz-server-side-encryption": ["AES256"],
  "x-amz-storage-class": ["STANDARD"],
  "x-amz-tagging-directive": ["COPY", "REPLACE"],
};

function covers(patterns: string[], name: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

function levelOf({ bucket, key }: S3Request): Route["level"] {
  if (!bucket) return "service";
  return key ? "object" : "bucket";
}

function refuseUnknown(route: Route, { query, headers }: S3Request): void {
  // A presigned URL carries headers in its query; those are checked as headers.
  const signedHeaders = query.has("X-Amz-Signature") ? ["x-amz-*"] : [];
  const parameters = [...commonQuery, ...signedHeaders, ...(route.query ?? []), route.selector ?? ""];
  for (const name of query.keys()) {
    if (!covers(parameters, name)) throw notImplemented(`the query parameter ${name} of ${route.name}`);
  }
  const known = [...commonHeaders, ...(route.headers ?? [])];
  for (const [name, value = ""] of Object.entries(headers)) {
    if (!name.startsWith("x-amz-")) continue;
    if (!covers(known, name)) throw notImplemented(`the header ${name} of ${route.name}`);
    if (acceptedValues[name]?.includes(value) === false) throw notImplemented(`${name}: ${value}`);
  }
}

/** Throws NotImplemented, naming what is missing. */
export function findRoute(request: S3Request): Route {
  const { method, query, headers } = request;
  const level = levelOf(request);
  const route = routes.find(
    (candidate) =>
      candidate.method === method &&
      candidate.level === level &&
      (!candidate.selector || query.has(candidate.selector)) &&
      (!candidate.header || headers[candidate.header] !== undefined),
  );
  if (!route) throw notImplemented(`${method} on a ${level} with the query "${query}"`);
  refuseUnknown(route, request);
  return route;
}
