/** Splits a byte stream into lines without ever holding more than one line and one chunk. */

export interface Line {
  /** 1 for the first line of the file. */
  number: number;
  /** The bytes without the line break; null when the line is longer than the limit. */
  bytes: Buffer | null;
}

/** A longer line is not a row of text but a file without line breaks. */
export const maxLineBytes = 4 * 1024 * 1024;

export async function* splitLines(source: AsyncIterable<Buffer>, limit = maxLineBytes): AsyncGenerator<Line> {
  let number = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const take = (tail: Buffer): Line => {
    const tooLong = pendingBytes + tail.length > limit;
    const bytes = tooLong ? null : pending.length ? Buffer.concat([...pending, tail]) : tail;
    pending = [];
    pendingBytes = 0;
    return { number: number++, bytes: bytes && withoutCarriageReturn(bytes) };
  };
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield take(chunk.subarray(start, end));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    pendingBytes += rest.length;
    if (rest.length && pendingBytes <= limit) pending.push(rest);
  }
  if (pendingBytes) yield take(Buffer.alloc(0));
}

function withoutCarriageReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Undefined when the bytes are not UTF-8. A byte order mark is dropped. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
