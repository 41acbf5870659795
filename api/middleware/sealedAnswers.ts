/**
 * Answers that show a secret are kept sealed: with a key made of the API key that asked, which is stored nowhere. Whoever
 * reads the table learns nothing, and whoever asks again with the same API key reads the answer that was lost on its way.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const cipher = "aes-256-gcm";
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/** An API key has 256 random bits: there is nothing to guess, so nothing has to be slow. */
const keyOf = (apiKey: string, salt: Buffer) =>
  Buffer.from(hkdfSync("sha256", apiKey, salt, "millrace: an answer that is kept", 32));

/** Base 64 of salt, nonce, tag and content. */
export function sealFor(apiKey: string, text: string): string {
  const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)];
  const sealing = createCipheriv(cipher, keyOf(apiKey, salt), nonce);
  const sealed = Buffer.concat([sealing.update(text, "utf8"), sealing.final()]);
  return Buffer.concat([salt, nonce, sealing.getAuthTag(), sealed]).toString("base64");
}

/** Undefined where it was sealed for another API key. */
export function openWith(apiKey: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, "base64");
  const salt = bytes.subarray(0, saltBytes);
  const nonce = bytes.subarray(saltBytes, saltBytes + nonceBytes);
  const tag = bytes.subarray(saltBytes + nonceBytes, saltBytes + nonceBytes + tagBytes);
  try {
    const opening = createDecipheriv(cipher, keyOf(apiKey, salt), nonce, { authTagLength: tagBytes }).setAuthTag(tag);
    return Buffer.concat([opening.update(bytes.subarray(saltBytes + nonceBytes + tagBytes)), opening.final()]).toString(
      "utf8",
    );
  } catch {
    return undefined;
  }
}
