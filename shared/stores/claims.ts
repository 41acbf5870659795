/** Which object a create request made, so that the same request sent again makes no second one. */
import { z } from "zod";
import { type Table, tableSchema } from "./table.ts";

const Claim = z.object({
  /** Id of the object that the request makes. */
  object_id: z.string(),
  /** Digest of what was asked for. */
  fingerprint: z.string(),
  expires_at: z.int(),
});
export type Claim = z.infer<typeof Claim>;

export interface Claims {
  /** Names the object this request will make, or, while an earlier claim of the name lives, returns that one. */
  claim(project: string, name: string, claim: Claim): Promise<Claim>;
  /** Forgets earlier claims of the name. */
  release(project: string, name: string): Promise<void>;
}

const keyOf = (project: string, name: string) => ({ pk: `${project}#claim`, sk: name });

export function createClaims(table: Table): Claims {
  const live = async (project: string, name: string) => {
    const claim = Claim.safeParse(await table.get(keyOf(project, name)));
    return claim.success && claim.data.expires_at > Date.now() / 1000 ? claim.data : undefined;
  };
  const claims: Claims = {
    async claim(project, name, claim) {
      const item = { ...claim, [tableSchema.timeToLive]: claim.expires_at };
      if (await table.create(keyOf(project, name), item)) return claim;
      const earlier = await live(project, name);
      if (earlier) return earlier;
      await claims.release(project, name);
      return claims.claim(project, name, claim);
    },
    async release(project, name) {
      await table.delete(keyOf(project, name));
    },
  };
  return claims;
}
