/** Secrets at rest: sealed by AES-256-GCM under the deployment's key, so that table, backups and logs hold none that could be read. */
import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import { ApiError } from "../errors.ts";

export interface Sealer {
  /** `purpose` names what the secret is of: sealed for one row, it opens for no other. Throws ApiError where there is no key. */
  seal(secret: string, purpose: string): string;
  /** Throws where it was sealed for another purpose, under a key that is not here, or was changed. */
  open(sealed: string, purpose: string): string;
}

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;
const keyName = (key: Buffer) => hash("sha256", key, "hex").slice(0, 8);

/** `keys` of 32 bytes each: the first seals, all of them open, so that keys can be changed without a stop. */
export function createSealer(keys: readonly Buffer[]): Sealer {
  const byName = new Map(keys.map((key) => [keyName(key), key]));
  return {
    seal(secret, purpose) {
      const [key] = keys;
      if (!key)
        throw new ApiError("invalid_state", "This deployment can keep no secrets: MILLRACE_SECRET_KEYS is not set.");
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(purpose));
      const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return `v1.${keyName(key)}.${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url")}`;
    },
    open(sealed, purpose) {
      const [, name = "", content = ""] = sealed.split(".");
      const key = byName.get(name);
      if (!key) throw new Error(`A secret is sealed under key '${name}', which MILLRACE_SECRET_KEYS does not hold`);
      const bytes = Buffer.from(content, "base64url");
      const tagEnd = nonceBytes + tagBytes;
      const nonce = bytes.subarray(0, nonceBytes);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(nonceBytes, tagEnd));
      return decipher.update(bytes.subarray(tagEnd), undefined, "utf8") + decipher.final("utf8");
    },
  };
}
