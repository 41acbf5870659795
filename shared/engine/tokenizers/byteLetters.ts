/**
 * A printable letter for each byte, as GPT-2 chose them: over these 256 letters any text of any script is spelt, so a
 * vocabulary that holds them knows no unknown token.
 * Reference: `bytes_to_unicode` of https://github.com/openai/gpt-2/blob/master/src/encoder.py
 */

const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);

/** The letter of byte i at place i: itself where it is printable, else the next unused character from U+0100 on. */
export const byteLetters: readonly string[] = letters();

/** The byte of a letter. */
export const byteOf: ReadonlyMap<string, number> = new Map(byteLetters.map((letter, byte) => [letter, byte]));

function letters(): string[] {
  let unused = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : unused++));
}
