/** Ids: one prefix a noun, then a ULID, so that sorting by id is sorting by creation time. */
import { hash } from "node:crypto";
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

/** The form of an id of that kind: Crockford's base 32 behind the prefix. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${prefixes[kind]}[0-9a-hjkmnp-tv-z]{26}$`);
}

/** Says nothing about whether it exists. */
export function isId(kind: IdKind, value: string): boolean {
  return idPattern(kind).test(value);
}

/**
 * `ft:<base>:<organization>:<suffix or empty>:<id8>`, the name OpenAI's clients expect. The last part is a function of
 * the job, so that every attempt at a job ends in the same model.
 */
export function fineTunedModelId(base: string, organization: string, suffix: string | null, job: string): string {
  return `ft:${base}:${organization}:${suffix ?? ""}:${shortHash(job)}`;
}

/** Eight characters of Crockford's base 32: 40 bits. */
function shortHash(text: string): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  return Array.from(hash("sha256", text, "buffer").subarray(0, 8), (byte) => alphabet[byte & 31]).join("");
}
