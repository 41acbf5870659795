/**
 * Keys and values of the texts in the making, on this side of the runtime: a call reads them where they lie, and what
 * it adds is written behind them. Texts are kept without gaps, as the first rows, so that a call takes them as they are.
 */
import type { Tensor } from "../dataTypes.ts";
import type { HeadLayout } from "../layers/attention.ts";
import type { Feeds } from "./decoder.ts";
import { freshName, pastName } from "./memory.ts";

export interface CacheOptions {
  readonly layers: number;
  readonly layout: HeadLayout;
  /** The most all keys and values may take; allocated at once, used by and by. */
  readonly bytes: number;
}

/** A stretch of tokens in the results of a call. */
export interface FreshTokens {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The text's row in that call. */
  readonly row: number;
  /** The first so many tokens. */
  readonly count: number;
}

// A longer reach than needed spares moving every text at each call.
const growth = 1.25;
const granularity = 32;

/** What the keys and values of one token take. */
export function tokenBytes(layers: number, { keyValueHeads, headWidth }: HeadLayout): number {
  return 2 * layers * keyValueHeads * headWidth * Float32Array.BYTES_PER_ELEMENT;
}

export class TextCache {
  /** How many tokens of texts of one length fit. */
  readonly capacity: number;
  readonly #parts: readonly { readonly past: string; readonly fresh: string; readonly data: Float32Array }[];
  readonly #heads: number;
  readonly #width: number;
  readonly #lengths: number[] = [];
  #reach: number;

  /** Throws RangeError for a budget of less than one short text. */
  constructor({ layers, layout, bytes }: CacheOptions) {
    this.#heads = layout.keyValueHeads;
    this.#width = layout.headWidth;
    const perToken = tokenBytes(layers, layout);
    this.capacity = Math.floor(bytes / perToken);
    if (!(this.capacity >= granularity)) {
      throw new RangeError(`a cache of ${bytes} bytes holds no ${granularity} tokens of ${perToken} bytes`);
    }
    this.#reach = granularity;
    this.#parts = Array.from({ length: layers }, (_, layer) =>
      (["key", "value"] as const).map((part) => ({
        past: pastName(part, layer),
        fresh: freshName(part, layer),
        data: new Float32Array(this.capacity * this.#heads * this.#width),
      })),
    ).flat();
  }

  get rows(): number {
    return this.#lengths.length;
  }

  /** Tokens of one text that are kept. */
  length(row: number): number {
    return this.#lengths[row]!;
  }

  /** Whether so many texts fit, the longest of so many tokens. */
  fits(rows: number, tokens: number): boolean {
    return rows * Math.max(tokens, 1) <= this.capacity;
  }

  /** A new, empty text behind the others; returns its row. */
  add(): number {
    const rows = this.rows + 1;
    if (rows * this.#reach > this.capacity) this.#lay(Math.floor(this.capacity / rows));
    this.#lengths.push(0);
    // Nothing of the text that was here before is left: times a weight of 0, even a NaN would be one.
    const size = this.#rowSize();
    for (const { data } of this.#parts) data.fill(0, (rows - 1) * size, rows * size);
    return rows - 1;
  }

  /** Takes a text out; the last one gets its row. */
  remove(row: number): void {
    const size = this.#rowSize();
    const last = this.rows - 1;
    for (const { data } of this.#parts) data.copyWithin(row * size, last * size, (last + 1) * size);
    this.#lengths[row] = this.#lengths[last]!;
    this.#lengths.pop();
    const longest = Math.max(...this.#lengths, granularity);
    if (longest * 2 < this.#reach) this.#lay(Math.ceil(longest * growth));
  }

  /** Inputs of a call for the texts `from` up to, not including, `to`: views, valid until the cache changes. */
  feeds(from: number, to: number): Feeds {
    const shape = [to - from, this.#heads, this.#reach, this.#width];
    const size = this.#rowSize();
    const view = (data: Float32Array) => ({ shape, data: data.subarray(from * size, to * size) });
    return Object.fromEntries(this.#parts.map(({ past, data }) => [past, view(data)]));
  }

  /** Tokens a call has read, behind those already there. Throws RangeError where they do not fit. */
  append(row: number, { outputs, row: source, count }: FreshTokens): void {
    const length = this.length(row);
    this.#makeRoom(length + count);
    for (const { fresh, data } of this.#parts) {
      const { data: added, shape } = outputs[fresh]!;
      const steps = shape[2]!;
      for (let head = 0; head < this.#heads; head++) {
        const from = (source * this.#heads + head) * steps * this.#width;
        const part = (added as Float32Array).subarray(from, from + count * this.#width);
        data.set(part, ((row * this.#heads + head) * this.#reach + length) * this.#width);
      }
    }
    this.#lengths[row] = length + count;
  }

  #rowSize(): number {
    return this.#heads * this.#reach * this.#width;
  }

  #makeRoom(tokens: number): void {
    if (tokens <= this.#reach) return;
    if (!this.fits(this.rows, tokens))
      throw new RangeError(`the cache has no room for ${this.rows} x ${tokens} tokens`);
    const wanted = Math.ceil(Math.max(tokens, this.#reach * growth) / granularity) * granularity;
    this.#lay(Math.min(wanted, Math.floor(this.capacity / this.rows)));
  }

  /** Lays the texts out anew with room for so many tokens each: from behind where it grows, from the front else. */
  #lay(reach: number): void {
    const before = this.#reach;
    const places = Array.from({ length: this.rows * this.#heads }, (_, place) => place);
    const order = reach > before ? places.reverse() : places;
    for (const { data } of this.#parts) {
      for (const place of order) {
        const [from, to] = [place * before * this.#width, place * reach * this.#width];
        const kept = this.length(Math.floor(place / this.#heads)) * this.#width;
        data.copyWithin(to, from, from + kept);
        data.fill(0, to + kept, to + reach * this.#width);
      }
    }
    this.#reach = reach;
  }
}
