/** 32-bit hashing of text and an allocation-free index from hashes to rows. */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over UTF-16 code units, so the hash is the same on every machine and in every version of Node. */
export function hashText(text: string, start = 0, end = text.length): number {
  let hash = FNV_OFFSET;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** Extends a hash by one 32-bit value; not commutative, so "not good" and "good not" differ. */
export function combine(hash: number, value: number): number {
  return Math.imul(hash ^ (value + 0x9e3779b9), FNV_PRIME) ^ (hash >>> 15);
}

/** Murmur3's finalizer: every input bit moves about half of the output bits. */
export function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Open addressing with linear probing, at most half full; positions are handed out in order of insertion. */
export class BucketIndex {
  #slots: Int32Array;
  #keys: Uint32Array;
  #size = 0;

  /** `capacity`: buckets it takes before it first has to grow. */
  constructor(capacity = 512) {
    const room = 2 ** Math.ceil(Math.log2(Math.max(capacity, 1)));
    this.#keys = new Uint32Array(room);
    this.#slots = new Int32Array(2 * room);
  }

  get size(): number {
    return this.#size;
  }

  /** The buckets inserted so far, by position. */
  get keys(): Uint32Array {
    return this.#keys.subarray(0, this.#size);
  }

  /** Position of a bucket, or -1. */
  find(bucket: number): number {
    return this.#slots[this.#probe(bucket)]! - 1;
  }

  /** Position of a bucket, inserted if new. */
  insert(bucket: number): number {
    const found = this.find(bucket);
    if (found >= 0) return found;
    if (this.#size === this.#keys.length) this.#grow();
    this.#keys[this.#size] = bucket;
    this.#size += 1;
    this.#slots[this.#probe(bucket)] = this.#size;
    return this.#size - 1;
  }

  #grow(): void {
    const keys = this.#keys;
    this.#keys = new Uint32Array(2 * keys.length);
    this.#keys.set(keys);
    this.#slots = new Int32Array(4 * keys.length);
    for (const [position, bucket] of keys.entries()) this.#slots[this.#probe(bucket)] = position + 1;
  }

  #probe(bucket: number): number {
    const mask = this.#slots.length - 1;
    let slot = (bucket >>> 1) & mask;
    for (;;) {
      const found = this.#slots[slot]!;
      if (found === 0 || this.#keys[found - 1] === bucket) return slot;
      slot = (slot + 1) & mask;
    }
  }
}
