/** Object tags, kept as a query string. */
import { S3Error } from "./errors.ts";
import { requireObject } from "./objectRows.ts";
import { receiveText } from "./receive.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";
import { parseXml } from "./xml.ts";

type TaggingXml = { TagSet?: { Tag?: { Key?: string; Value?: string }[] } };

/** Throws InvalidTag for more than 10 tags, keys over 128 characters, values over 256, or a key given twice. */
export function parseTags(text: string): URLSearchParams {
  const tags = new URLSearchParams(text);
  const keys = [...tags.keys()];
  const fits = [...tags].every(([key, value]) => key && key.length <= 128 && value.length <= 256);
  if (!fits || keys.length > 10 || new Set(keys).size < keys.length) throw new S3Error("InvalidTag");
  return tags;
}

function setTags({ database }: S3Store, { bucket, key }: S3Request, tags: string): void {
  database.sql.run`update objects set tags = ${tags} where bucket = ${bucket} and key = ${key}`;
}

export async function putObjectTagging(store: S3Store, request: S3Request): Promise<S3Response> {
  requireObject(store, request);
  const { TagSet } = parseXml<TaggingXml>(await receiveText(request), "Tagging");
  const pairs = (TagSet?.Tag ?? []).map((tag): [string, string] => [tag.Key ?? "", tag.Value ?? ""]);
  setTags(store, request, parseTags(new URLSearchParams(pairs).toString()).toString());
  return { status: 200 };
}

export function getObjectTagging(store: S3Store, request: S3Request): S3Response {
  const tags = parseTags(requireObject(store, request).tags);
  return xmlResponse("Tagging", { TagSet: { Tag: [...tags].map(([Key, Value]) => ({ Key, Value })) } });
}

export function deleteObjectTagging(store: S3Store, request: S3Request): S3Response {
  requireObject(store, request);
  setTags(store, request, "");
  return { status: 204 };
}
