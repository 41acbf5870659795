/** The length of the longest common subsequence, 32 places at a time (Hyyrö 2004, "Bit-parallel LCS-length computation revisited"). */

export function longestCommon(a: readonly string[], b: readonly string[]): number {
  const words = Math.ceil(a.length / 32);
  const places = new Map<string, Uint32Array>();
  for (const [i, symbol] of a.entries()) {
    const found = places.get(symbol) ?? new Uint32Array(words);
    found[i >> 5]! |= 1 << (i & 31);
    places.set(symbol, found);
  }
  const state = new Uint32Array(words).fill(0xffffffff);
  for (const symbol of b) {
    const matches = places.get(symbol);
    if (!matches) continue;
    let carry = 0;
    for (let w = 0; w < words; w++) {
      const matched = (state[w]! & matches[w]!) >>> 0;
      const sum = state[w]! + matched + carry;
      carry = sum > 0xffffffff ? 1 : 0;
      state[w] = sum | (state[w]! & ~matched);
    }
  }
  let length = 0;
  for (let i = 0; i < a.length; i++) if (!(state[i >> 5]! & (1 << (i & 31)))) length++;
  return length;
}
