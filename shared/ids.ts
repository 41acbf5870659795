/** Ids: one prefix a noun, then a ULID, so that sorting by id is sorting by creation time. */
import { hash, randomFillSync } from "node:crypto";
import { decodeTime, encodeTime, monotonicFactory } from "ulid";

const prefixes = {
  organization: "org-",
  project: "proj_",
  api_key: "key_",
  admin_api_key: "adminkey_",
  user: "user_",
  service_account: "svcacct_",
  audit_log: "audit_log_",
  checkpoint_permission: "cp_",
  file: "file-",
  upload: "upload_",
  upload_part: "part_",
  job: "ftjob-",
  event: "ftevent-",
  checkpoint: "ftckpt_",
  attempt: "attempt_",
  request: "req_",
  chat_completion: "chatcmpl-",
  completion: "cmpl-",
  response: "resp_",
  response_message: "msg_",
  moderation: "modr-",
  batch: "batch_",
  batch_request: "batch_req_",
  answer: "answer_",
  episode: "ep_",
  feedback: "feedback_",
  alias_move: "amove_",
  dataset_version: "dsv_",
  experiment: "exp_",
  eval: "eval_",
  eval_run: "evalrun_",
  eval_item: "outputitem_",
  label_queue: "lq_",
  label: "label_",
  label_doctor: "ldr_",
  promotion: "promo_",
  webhook_endpoint: "whe_",
  webhook_event: "evt_",
  webhook_delivery: "whd_",
} as const;

export type IdKind = keyof typeof prefixes;

const pool = new Uint8Array(4096);
let poolUsed = pool.length;

/** From 0 to less than 1; the library's own asks the system for each character. */
function random(): number {
  if (poolUsed === pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  return pool[poolUsed++]! / 256;
}

const ulid = monotonicFactory(random);

/** A new id such as `ftjob-01k9…`; later ids of one process sort after earlier ones. */
export function newId(kind: IdKind): string {
  return prefixes[kind] + ulid().toLowerCase();
}

/** The same id for the same source every time, sorted among the others as if made at `time`, in milliseconds. */
export function derivedId(kind: IdKind, time: number, source: string): string {
  return prefixes[kind] + encodeTime(time).toLowerCase() + shortHash(source, 16);
}

const ulidLength = 26;

/** Another kind's id with the same characters behind the prefix: what belongs together is found without looking. */
export function sameId(kind: IdKind, id: string): string {
  return prefixes[kind] + id.slice(-ulidLength);
}

/** An answer's own id ends as that of its inference does. */
const answerKinds = ["request", "chat_completion", "completion", "response", "moderation"] as const;

/** The id of the inference that an id of its answer names; undefined where it names none. */
export function inferenceIdOf(id: string): string | undefined {
  return answerKinds.some((kind) => isId(kind, id)) ? sameId("request", id) : undefined;
}

/** When it was made, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  return decodeTime(id.slice(-ulidLength).toUpperCase());
}

/** Where ids made at `time`, in milliseconds, begin among the others of their kind. */
export function idBound(kind: IdKind, time: number): string {
  return prefixes[kind] + encodeTime(Math.min(Math.max(time, 0), 2 ** 48 - 1)).toLowerCase();
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
  return `ft:${base}:${organization}:${suffix ?? ""}:${shortHash(job, 8)}`;
}

/** Characters of Crockford's base 32, five bits each. */
function shortHash(text: string, length: number): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  return Array.from(hash("sha256", text, "buffer").subarray(0, length), (byte) => alphabet[byte & 31]).join("");
}
