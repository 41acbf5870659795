/** The Range header, as far as S3 supports it: one range of bytes. */
import { S3Error } from "./errors.ts";

/** First and last byte, inclusive. */
export type Range = { start: number; end: number };

/**
 * `undefined` means the whole object: there is no header, or, as S3 does, the header is malformed or names several
 * ranges. Throws InvalidRange when the object has no such byte.
 */
export function parseRange(header: string | undefined, size: number): Range | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (!first && !last) return undefined;
  if (first && last && Number(last) < Number(first)) return undefined;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  if (start > end) throw new S3Error("InvalidRange");
  return { start, end };
}
