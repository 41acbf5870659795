/** Ids: one prefix a noun, then a ULID, so that sorting by id is sorting by creation time. */
import { randomBytes } from "node:crypto";
import { monotonicFactory } from "ulid";

const prefixes = {
  organization: "org-",
  project: "proj_",
  api_key: "key_",
  file: "file-",
  job: "ftjob-",
  event: "ftevent-",
  checkpoint: "ftckpt_",
  attempt: "attempt_",
  request: "req_",
} as const;

export type IdKind = keyof typeof prefixes;

const ulid = monotonicFactory();

/** A new id such as `ftjob-01k9…`; later ids of one process sort after earlier ones. */
export function newId(kind: IdKind): string {
  return prefixes[kind] + ulid().toLowerCase();
}

/** Eight random characters for the last part of a fine-tuned model's name: 40 bits, no vowels to spell words with. */
export function randomSuffix(): string {
  const alphabet = "0123456789bcdfghjklmnpqrstvwxyzk";
  return Array.from(randomBytes(8), (byte) => alphabet[byte & 31]).join("");
}

/** `ft:<base>:<organization>:<suffix or empty>:<id8>`, the name OpenAI's clients expect. */
export function fineTunedModelId(base: string, organization: string, suffix: string | null): string {
  return `ft:${base}:${organization}:${suffix ?? ""}:${randomSuffix()}`;
}
