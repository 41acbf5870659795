/** Signatures of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). */
import { createHmac, randomBytes } from "node:crypto";

const prefix = "whsec_";

/** 32 random bytes; the scheme asks for 24 to 64. */
export const newSecret = (): string => prefix + randomBytes(32).toString("base64");

/** What tells a secret from others without telling it. */
export const hintOf = (secret: string): string => `${prefix}…${secret.slice(-4)}`;

/** For one attempt, as receivers refuse what was signed more than five minutes ago. `at` is Unix time in seconds. */
export function signedHeaders(id: string, at: number, body: string, secrets: readonly string[]) {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": String(at), "webhook-signature": signatures.join(" ") };
}
