/** Pieces of a text from whoever writes it to whoever reads it, as an async iterator. */

export interface TokenStreamOptions {
  /** Called once when the reader stops before the end. */
  readonly onCancel: () => void;
}

export class TokenStream<T> implements AsyncIterableIterator<T> {
  readonly #pieces: T[] = [];
  readonly #onCancel: () => void;
  #waiting: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #error: { readonly cause: unknown } | undefined;

  constructor({ onCancel }: TokenStreamOptions) {
    this.#onCancel = onCancel;
  }

  push(piece: T): void {
    this.#pieces.push(piece);
    this.#waiting?.resolve();
  }

  /** After the pieces pushed so far, the end: with `error`, by throwing it. */
  end(error?: { readonly cause: unknown }): void {
    this.#ended = true;
    this.#error = error;
    this.#waiting?.resolve();
  }

  async next(): Promise<IteratorResult<T>> {
    while (this.#pieces.length === 0 && !this.#ended) {
      this.#waiting ??= Promise.withResolvers();
      await this.#waiting.promise;
      this.#waiting = undefined;
    }
    if (this.#pieces.length > 0) return { done: false, value: this.#pieces.shift()! };
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error.cause;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<T>> {
    if (!this.#ended) this.#onCancel();
    this.#pieces.length = 0;
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
