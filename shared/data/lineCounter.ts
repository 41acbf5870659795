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
    for (let byte = this.#peek(); byte === lineFeed || byte === carriageReturn; byte = this.#peek()) this.#take(byte);
    return this.#line;
  }

  /** Moves on to the given position in the stream. */
  advanceTo(offset: number): void {
    while (this.#offset < offset) {
      const byte = this.#peek();
      if (byte === undefined) return;
      this.#take(byte);
    }
  }

  #peek(): number | undefined {
    while (this.#at === this.#chunks[0]?.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
    return this.#chunks[0]?.[this.#at];
  }

  #take(byte: number): void {
    if (byte === carriageReturn || (byte === lineFeed && !this.#afterReturn)) this.#line++;
    this.#afterReturn = byte === carriageReturn;
    this.#at++;
    this.#offset++;
  }
}
