/** Counts the lines of a byte stream as editors do: LF, CR and CRLF each end one, also inside quotes. */

const lineFeed = 10;
const carriageReturn = 13;

/** Holds the chunks between what was pushed and what was counted, so counting must keep pace. */
export class LineCounter {
  #chunks: Buffer[] = [];
  /** Position in the first chunk. */
  #at = 0;
  /** Position in the stream. */
  #offset = 0;
  #line = 1;
  #afterReturn = false;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** Skips line breaks, and returns the line that what follows them is on. */
  startOfNext(): number {
    for (let chunk = this.#chunk(); chunk; chunk = this.#chunk()) {
      const byte = chunk[this.#at];
      if (byte !== lineFeed && byte !== carriageReturn) break;
      this.#count(chunk, this.#at + 1);
    }
    return this.#line;
  }

  /** Moves on to the given position in the stream. */
  advanceTo(offset: number): void {
    for (let chunk = this.#chunk(); chunk && this.#offset < offset; chunk = this.#chunk()) {
      this.#count(chunk, Math.min(chunk.length, this.#at + offset - this.#offset));
    }
  }

  /** The first that is not counted to its end. */
  #chunk(): Buffer | undefined {
    while (this.#at === this.#chunks[0]?.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
    return this.#chunks[0];
  }

  #count(chunk: Buffer, end: number): void {
    for (let at = this.#at; at < end; at++) {
      const byte = chunk[at];
      if (byte === carriageReturn || (byte === lineFeed && !this.#afterReturn)) this.#line++;
      this.#afterReturn = byte === carriageReturn;
    }
    this.#offset += end - this.#at;
    this.#at = end;
  }
}
