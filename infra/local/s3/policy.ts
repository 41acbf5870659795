/** The signed policy of a browser form upload: who may post what, where to, how large, until when. */
import type { Credentials } from "../credentials.ts";
import { notImplemented, S3Error } from "./errors.ts";
import { verifySignature } from "./signature.ts";

type Condition = Record<string, string> | [operator: string, first: string | number, second: string | number];
export type Policy = { expiration?: string; conditions?: Condition[] };
type Fields = Map<string, string>;

const tests: Record<string, (value: string, wanted: string) => boolean> = {
  eq: (value, wanted) => value === wanted,
  "starts-with": (value, wanted) => value.startsWith(wanted),
};

/** Fields that no condition needs to cover. */
const exempt = new Set(["policy", "x-amz-signature", "file"]);

function refuse(reason: string): S3Error {
  return new S3Error("AccessDenied", `Invalid according to Policy: ${reason}`);
}

/** Both spellings, `{ key: value }` and `[operator, "$key", value]`, as `[operator, key, value]`. */
function normalise(condition: Condition): [operator: string, name: string, wanted: string][] {
  if (!Array.isArray(condition))
    return Object.entries(condition).map(([name, value]) => ["eq", name.toLowerCase(), value]);
  const [operator, name, wanted] = condition;
  if (operator === "content-length-range") return [];
  return [[operator, String(name).replace(/^\$/, "").toLowerCase(), String(wanted)]];
}

/** The byte bounds of the policy's `content-length-range`, if it has one. */
export function lengthRange(policy: Policy): { minimum?: number; maximum?: number } {
  const range = policy.conditions?.find(
    (condition) => Array.isArray(condition) && condition[0] === "content-length-range",
  );
  return Array.isArray(range) ? { minimum: Number(range[1]), maximum: Number(range[2]) } : {};
}

function checkConditions(policy: Policy, fields: Fields, bucket: string): void {
  const covered = new Set(exempt);
  for (const [operator, name, wanted] of (policy.conditions ?? []).flatMap(normalise)) {
    const test = tests[operator];
    if (!test) throw notImplemented(`the policy condition ${operator}`);
    const value = name === "bucket" ? bucket : (fields.get(name) ?? "");
    if (!test(value, wanted)) throw refuse(`Policy Condition failed: ["${operator}", "$${name}", "${wanted}"]`);
    covered.add(name);
  }
  const extra = [...fields.keys()].find((name) => !covered.has(name) && !name.startsWith("x-ignore-"));
  if (extra) throw refuse(`Extra input fields: ${extra}`);
}

/** Verifies signature, expiry and every condition on the form's fields. Throws a 403. */
export function verifyPolicy(credentials: Credentials, fields: Fields, bucket: string): Policy {
  const encoded = fields.get("policy");
  if (!encoded) throw new S3Error("AccessDenied");
  verifySignature(credentials, fields.get("x-amz-credential") ?? "", encoded, fields.get("x-amz-signature") ?? "");
  const policy: Policy = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  if (!(Date.now() < Date.parse(policy.expiration ?? ""))) throw refuse("Policy expired.");
  checkConditions(policy, fields, bucket);
  return policy;
}
