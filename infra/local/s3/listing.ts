/** ListObjectsV2: keys in UTF-8 byte order, paged, grouped by a delimiter. */
import type { Database } from "../sqlite.ts";
import { S3Error } from "./errors.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";

type Row = { key: string; size: number; etag: string; modified: number };
type Selection = { bucket: string; prefix: string; delimiter: string; after: string; limit: number };
type Page = { rows: Row[]; prefixes: string[]; cursor: string; truncated: boolean };

function nextRow({ sql }: Database, { bucket, prefix }: Selection, cursor: string): Row | undefined {
  const row = sql.get`
    select key, size, etag, modified from objects
    where bucket = ${bucket} and key > ${cursor} and key >= ${prefix} order by key limit 1` as Row | undefined;
  return row?.key.startsWith(prefix) ? row : undefined;
}

/** One indexed look-up per entry: a common prefix is stepped over, however many keys it holds. */
function readPage(database: Database, selection: Selection): Page {
  const { prefix, delimiter, after, limit } = selection;
  const page: Page = { rows: [], prefixes: [], cursor: after, truncated: false };
  for (let entries = 0; entries < limit; entries++) {
    const row = nextRow(database, selection, page.cursor);
    if (!row) return page;
    const cut = delimiter ? row.key.indexOf(delimiter, prefix.length) : -1;
    if (cut < 0) {
      page.rows.push(row);
      page.cursor = row.key;
    } else {
      const common = row.key.slice(0, cut + delimiter.length);
      page.prefixes.push(common);
      // The highest code point sorts after every key that begins with the prefix.
      page.cursor = `${common}\u{10ffff}`;
    }
  }
  page.truncated = limit > 0 && nextRow(database, selection, page.cursor) !== undefined;
  return page;
}

function select({ bucket, query }: S3Request): Selection {
  const limit = Number(query.get("max-keys") ?? 1000);
  if (!Number.isInteger(limit) || limit < 0)
    throw new S3Error("InvalidArgument", "max-keys must be a whole number from 0.");
  const token = query.get("continuation-token");
  return {
    bucket,
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    after: token ? Buffer.from(token, "base64url").toString("utf8") : (query.get("start-after") ?? ""),
    limit: Math.min(limit, 1000),
  };
}

/** `encoding-type=url` is for keys that XML cannot hold. */
function keyEncoder(query: URLSearchParams): (key: string) => string {
  const encoding = query.get("encoding-type");
  if (encoding === null) return (key) => key;
  if (encoding !== "url") throw new S3Error("InvalidArgument", "encoding-type must be url.");
  return (key) => encodeURIComponent(key).replaceAll("%2F", "/");
}

export function listObjects({ database }: S3Store, request: S3Request): S3Response {
  const selection = select(request);
  const encode = keyEncoder(request.query);
  const page = readPage(database, selection);
  return xmlResponse("ListBucketResult", {
    Name: selection.bucket,
    Prefix: encode(selection.prefix),
    Delimiter: selection.delimiter ? encode(selection.delimiter) : undefined,
    EncodingType: request.query.get("encoding-type") ?? undefined,
    StartAfter: request.query.get("start-after") ?? undefined,
    ContinuationToken: request.query.get("continuation-token") ?? undefined,
    NextContinuationToken: page.truncated ? Buffer.from(page.cursor).toString("base64url") : undefined,
    KeyCount: page.rows.length + page.prefixes.length,
    MaxKeys: selection.limit,
    IsTruncated: page.truncated,
    Contents: page.rows.map((row) => ({
      Key: encode(row.key),
      LastModified: new Date(row.modified).toISOString(),
      ETag: `"${row.etag}"`,
      Size: row.size,
      StorageClass: "STANDARD",
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}
