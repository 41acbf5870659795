/** Decodes aws-chunked bodies: sized chunks, then trailers, as the SDK sends streams whose checksum comes last. */
import { S3Error } from "./errors.ts";

class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #fill(): Promise<void> {
    const next = await this.#source.next();
    if (next.done) throw new S3Error("IncompleteBody", "The aws-chunked body ended early.");
    this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, next.value]) : next.value;
  }

  /** The text up to the next CRLF, which is consumed. */
  async line(): Promise<string> {
    let end = this.#buffer.indexOf("\r\n");
    while (end < 0) {
      await this.#fill();
      end = this.#buffer.indexOf("\r\n");
    }
    const line = this.#buffer.toString("latin1", 0, end);
    this.#buffer = this.#buffer.subarray(end + 2);
    return line;
  }

  /** Exactly `length` bytes, as they arrive. */
  async *take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (!this.#buffer.length) await this.#fill();
      const piece = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}

/** Yields the payload and fills `trailers` (lower-case names) once it is through. Chunk signatures are not checked. */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source);
  for (;;) {
    const size = Number.parseInt(await reader.line(), 16);
    if (Number.isNaN(size)) throw new S3Error("IncompleteBody", "The aws-chunked body has a malformed chunk size.");
    if (size === 0) break;
    yield* reader.take(size);
    await reader.line();
  }
  for (let line = await reader.line(); line !== ""; line = await reader.line()) {
    const colon = line.indexOf(":");
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}
