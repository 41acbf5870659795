/** What a text may consist of, byte by byte: a grammar in which nothing begins with itself. */

/** 256 elements, 1 for a byte of the set. */
export type ByteSet = Uint8Array;

export type Rule =
  | { readonly kind: "byte"; readonly set: ByteSet }
  | { readonly kind: "sequence"; readonly rules: readonly Rule[] }
  | { readonly kind: "choice"; readonly rules: readonly Rule[] }
  /** `most` may be Infinity. */
  | { readonly kind: "repeat"; readonly rule: Rule; readonly least: number; readonly most: number }
  /** Looked up when it is reached, so that a rule may lead back to itself. */
  | { readonly kind: "reference"; readonly rule: () => Rule };

export const sequence = (...rules: Rule[]): Rule => ({ kind: "sequence", rules });
export const choice = (...rules: Rule[]): Rule => ({ kind: "choice", rules });
export const repeat = (rule: Rule, least = 0, most = Number.POSITIVE_INFINITY): Rule => {
  return { kind: "repeat", rule, least, most };
};
export const optional = (rule: Rule): Rule => repeat(rule, 0, 1);
export const reference = (rule: () => Rule): Rule => ({ kind: "reference", rule });

/** Nothing at all. */
export const empty: Rule = sequence();

/** One byte of some ranges, each given by its first and last byte. */
export function bytes(...ranges: readonly (readonly [number, number])[]): Rule {
  const set = new Uint8Array(256);
  for (const [first, last] of ranges) set.fill(1, first, last + 1);
  return { kind: "byte", set };
}

/** One character of those listed; ASCII. */
export const anyOf = (characters: string): Rule =>
  bytes(...Array.from(Buffer.from(characters), (byte) => [byte, byte] as const));

/** Exactly this text. */
export const literal = (text: string): Rule =>
  sequence(...Array.from(Buffer.from(text), (byte) => bytes([byte, byte])));
