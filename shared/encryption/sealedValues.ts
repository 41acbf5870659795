/**
 * Single values, sealed by AES-256-GCM in memory and at once, as a stream of the SDK's takes ten times as long for a few
 * kilobytes. Each process derives keys of its own from the organization's, by HKDF (RFC 5869) from a salt that lies with the
 * value; what the value is of is authenticated with it.
 *
 * Format: a byte of form, four of the key's version, salt (16), nonce (12), tag (16), what is sealed.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { OpenKey } from "./organizationKeys.ts";

const algorithm = "aes-256-gcm";
const form = 1;
const saltAt = 5;
const nonceAt = saltAt + 16;
const tagAt = nonceAt + 12;
const sealedAt = tagAt + 16;
const authTagLength = sealedAt - tagAt;

/** Under one derived key, far below the 2^32 random nonces that NIST SP 800-38D allows. */
const mostSealed = 2 ** 24;
const mostDerived = 1000;

interface Derived {
  salt: Buffer;
  key: KeyObject;
  sealed: number;
}

/** By the organization's key, so that what was derived is gone from memory with it. */
const sealers = new WeakMap<Buffer, Derived>();
const openers = new WeakMap<Buffer, LRUCache<string, KeyObject>>();

const nonceBytes = tagAt - nonceAt;
/** Drawn together, as a draw costs as much as sealing does. */
let nonces = Buffer.alloc(0);

function nextNonce(): Buffer {
  if (nonces.length === 0) nonces = randomBytes(256 * nonceBytes);
  const nonce = nonces.subarray(0, nonceBytes);
  nonces = nonces.subarray(nonceBytes);
  return nonce;
}

const derive = ({ bytes }: OpenKey, salt: Buffer): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync("sha512", bytes, salt, "millrace value", 32)));

function sealerOf(key: OpenKey): Derived {
  const known = sealers.get(key.bytes);
  if (known && known.sealed < mostSealed) return known;
  const salt = randomBytes(nonceAt - saltAt);
  const derived = { salt, key: derive(key, salt), sealed: 0 };
  sealers.set(key.bytes, derived);
  return derived;
}

function openerOf(key: OpenKey, salt: Buffer): KeyObject {
  const known = openers.get(key.bytes) ?? new LRUCache<string, KeyObject>({ max: mostDerived });
  openers.set(key.bytes, known);
  const name = salt.toString("base64");
  const derived = known.get(name) ?? derive(key, salt);
  known.set(name, derived);
  return derived;
}

/** `of` is where the value lies: it opens as that alone. */
export function sealValue(key: OpenKey, of: string, plain: string): Buffer {
  const sealer = sealerOf(key);
  sealer.sealed++;
  const nonce = nextNonce();
  const cipher = createCipheriv(algorithm, sealer.key, nonce, { authTagLength }).setAAD(Buffer.from(of));
  const sealed = [cipher.update(plain, "utf8"), cipher.final()];
  const head = Buffer.alloc(saltAt);
  head.writeUInt8(form);
  head.writeUInt32BE(key.version, 1);
  return Buffer.concat([head, sealer.salt, nonce, cipher.getAuthTag(), ...sealed]);
}

/** Of the key that opens it. */
export function versionOf(sealed: Buffer): number {
  if (sealed.length < sealedAt || sealed[0] !== form)
    throw new Error("A value in the table is sealed in no known form");
  return sealed.readUInt32BE(1);
}

/** Throws where it was changed, or sealed under another key or for another place. */
export function openValue(key: OpenKey, of: string, sealed: Buffer): string {
  const derived = openerOf(key, sealed.subarray(saltAt, nonceAt));
  const decipher = createDecipheriv(algorithm, derived, sealed.subarray(nonceAt, tagAt), { authTagLength })
    .setAAD(Buffer.from(of))
    .setAuthTag(sealed.subarray(tagAt, sealedAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(sealedAt)), decipher.final()]).toString();
  } catch (cause) {
    throw new Error(`What is sealed at ${of} does not open: it was changed, or sealed for another place`, { cause });
  }
}
