/**
 * JSON as it is written here: RFC 8259, but with at most a space or a line break with its indentation between tokens, as
 * a model could otherwise write blanks for ever, and numbers of which a double keeps every digit.
 */
import { anyOf, bytes, choice, literal, optional, type Rule, reference, repeat, sequence } from "./rules.ts";

const digit = bytes([0x30, 0x39]);
const deepestIndentation = 40;
const mostDigits = 15;

/** Between tokens. */
export const gap: Rule = optional(
  choice(literal(" "), sequence(literal("\n"), repeat(literal(" "), 0, deepestIndentation))),
);
const colon = sequence(literal(":"), optional(literal(" ")));
export const comma: Rule = sequence(literal(","), gap);

/** One character within a string: UTF-8 of Unicode 15, table 3-7, or an escape. */
const tail = bytes([0x80, 0xbf]);
const hexadecimal = bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);
const character: Rule = choice(
  bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7f]),
  sequence(bytes([0xc2, 0xdf]), tail),
  sequence(bytes([0xe0, 0xe0]), bytes([0xa0, 0xbf]), tail),
  sequence(bytes([0xe1, 0xec], [0xee, 0xef]), tail, tail),
  sequence(bytes([0xed, 0xed]), bytes([0x80, 0x9f]), tail),
  sequence(bytes([0xf0, 0xf0]), bytes([0x90, 0xbf]), tail, tail),
  sequence(bytes([0xf1, 0xf3]), tail, tail, tail),
  sequence(bytes([0xf4, 0xf4]), bytes([0x80, 0x8f]), tail, tail),
  sequence(literal("\\"), choice(anyOf('"\\/bfnrt'), sequence(literal("u"), repeat(hexadecimal, 4, 4)))),
);

/** Of so many characters, an escape being one. */
export const stringOf = (least = 0, most = Number.POSITIVE_INFINITY): Rule =>
  sequence(literal('"'), repeat(character, least, most), literal('"'));

export const integer: Rule = sequence(
  optional(literal("-")),
  choice(literal("0"), sequence(bytes([0x31, 0x39]), repeat(digit, 0, mostDigits - 1))),
);
const fraction = sequence(literal("."), repeat(digit, 1, mostDigits));
const exponent = sequence(anyOf("eE"), optional(anyOf("+-")), repeat(digit, 1, 2));
export const number: Rule = sequence(integer, optional(fraction), optional(exponent));
export const boolean: Rule = choice(literal("true"), literal("false"));
export const nothing: Rule = literal("null");

/** Items between brackets, of so many. */
export function arrayOf(item: Rule, least = 0, most = Number.POSITIVE_INFINITY): Rule {
  const items = sequence(item, repeat(sequence(comma, item), Math.max(0, least - 1), most - 1));
  const content = most === 0 ? sequence() : least === 0 ? optional(items) : items;
  return sequence(literal("["), gap, content, gap, literal("]"));
}

export const member = (name: Rule, value: Rule): Rule => sequence(name, colon, value);

/** What stands between braces. */
export const objectOf = (members: Rule): Rule => sequence(literal("{"), gap, members, gap, literal("}"));

/** Any value. */
export const value: Rule = reference(() => anyValue);
const someMember = member(stringOf(), value);

/** Any object. */
export const object: Rule = objectOf(optional(sequence(someMember, repeat(sequence(comma, someMember)))));
const anyValue: Rule = choice(object, arrayOf(value), stringOf(), number, boolean, nothing);
