/** Which requests came already, who is at work on them, and what was answered: for those who send them again. */
import { z } from "zod";
import { type Condition, type Table, tableSchema } from "./table.ts";

const KeptAnswer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  /** Whether the body shows a secret, and can be read only with the API key that asked. */
  is_sealed: z.boolean().optional(),
});
export type KeptAnswer = z.infer<typeof KeptAnswer>;

const Claim = z.object({
  /** The id of the request that first came. What it makes is named after it, so that work done again makes nothing else. */
  request_id: z.string(),
  /** Digest of what was asked for. */
  fingerprint: z.string(),
  /** Who is at work on it, or last was. */
  attempt: z.string(),
  /** Unix time in milliseconds at which whoever is at work on it must have told that they still are; 0: nobody is. */
  busy_until: z.int(),
  /** Whether the try came that says it is the first; a later one may be faster on its way. */
  is_first_seen: z.boolean(),
  /** Null before the answer, and where it is not kept. */
  answer: KeptAnswer.nullable(),
  expires_at: z.int(),
});
export type Claim = z.infer<typeof Claim>;

export interface Claims {
  /** Undefined where the claim now stands; else the one that lives already. */
  create(project: string, name: string, claim: Claim): Promise<Claim | undefined>;
  /** Undefined where there is none, or none any more. */
  get(project: string, name: string): Promise<Claim | undefined>;
  /** False where it is no longer as it was read. */
  change(project: string, name: string, read: Claim, changes: Partial<Claim>): Promise<boolean>;
  /** False where it is no longer this attempt's. */
  delete(project: string, name: string, attempt: string): Promise<boolean>;
}

const keyOf = (project: string, name: string) => ({ pk: `${project}#claim`, sk: name });

const isOf = (attempt: string): Condition => ({
  expression: "#attempt = :attempt",
  names: { "#attempt": "attempt" },
  values: { ":attempt": attempt },
});

/** Its holder tells that they live by `busy_until` alone, which whoever takes over has read. */
function isAsRead({ attempt, busy_until }: Claim): Condition {
  const { expression, names, values } = isOf(attempt);
  return {
    expression: `${expression} AND #busy = :busy`,
    names: { ...names, "#busy": "busy_until" },
    values: { ...values, ":busy": busy_until },
  };
}

export function createClaims(table: Table): Claims {
  const itemOf = (claim: Claim) => ({ ...claim, [tableSchema.timeToLive]: claim.expires_at });
  const claims: Claims = {
    async create(project, name, claim) {
      if (await table.create(keyOf(project, name), itemOf(claim))) return undefined;
      const item = await table.get(keyOf(project, name));
      const earlier = Claim.safeParse(item);
      if (earlier.success && earlier.data.expires_at > Date.now() / 1000) return earlier.data;
      if (item) await table.delete(keyOf(project, name));
      return claims.create(project, name, claim);
    },
    async get(project, name) {
      const claim = Claim.safeParse(await table.get(keyOf(project, name)));
      return claim.success && claim.data.expires_at > Date.now() / 1000 ? claim.data : undefined;
    },
    change: (project, name, read, changes) => {
      const until = changes.expires_at === undefined ? {} : { [tableSchema.timeToLive]: changes.expires_at };
      return table.update(keyOf(project, name), { ...changes, ...until }, isAsRead(read));
    },
    delete: (project, name, attempt) =>
      table.transact([{ type: "delete", key: keyOf(project, name), condition: isOf(attempt) }]),
  };
  return claims;
}
