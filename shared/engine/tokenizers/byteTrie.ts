/** Byte strings in a trie, so that all that begin at a place of a text are found in one walk. */

/** Nodes are numbered from the root, 0; edges lie in one open-addressed hash table. */
export class ByteTrie {
  readonly #keys: Uint32Array;
  readonly #children: Int32Array;
  readonly #values: Int32Array;
  readonly #shift: number;
  #nodes = 1;

  /** The value of a string is its place in the list. Strings are of characters below 256. Throws RangeError for too many. */
  constructor(strings: readonly string[]) {
    const mostNodes = strings.reduce((total, string) => total + string.length, 1);
    if (mostNodes >= 2 ** 24) throw new RangeError(`${mostNodes} bytes of pieces do not fit a trie of 2^24 nodes`);
    const bits = Math.ceil(Math.log2(mostNodes)) + 1;
    this.#shift = 32 - bits;
    this.#keys = new Uint32Array(2 ** bits);
    this.#children = new Int32Array(2 ** bits);
    this.#values = new Int32Array(mostNodes).fill(-1);
    for (const [value, string] of strings.entries()) this.#insert(string, value);
  }

  /** The node one byte further, or 0 where no string goes on so. */
  next(node: number, byte: number): number {
    return this.#children[this.#slot(node, byte)]!;
  }

  /** The number of the string that ends at a node, or -1. */
  valueOf(node: number): number {
    return this.#values[node]!;
  }

  #insert(string: string, value: number): void {
    let node = 0;
    for (let i = 0; i < string.length; i++) {
      const slot = this.#slot(node, string.charCodeAt(i));
      if (this.#children[slot] === 0) {
        this.#keys[slot] = node * 256 + string.charCodeAt(i);
        this.#children[slot] = this.#nodes++;
      }
      node = this.#children[slot]!;
    }
    this.#values[node] = value;
  }

  // The table is at least twice as large as its edges are many, so that a free slot is near. An edge never leads to the
  // root: child 0 marks a free slot.
  #slot(node: number, byte: number): number {
    const key = (node * 256 + byte) >>> 0;
    let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift;
    while (this.#children[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & (this.#keys.length - 1);
    return slot;
  }
}
