/** The key of an organization, under which its content lies sealed: its versions, and whether it was deleted. */
import { z } from "@hono/zod-openapi";

const EncryptionKeyVersion = z.object({
  version: z.int(),
  /** Where the keys are kept, this one's name. */
  key: z.string(),
  /** The version's bytes, in base 64, as only the key of that name opens them; null: deleted. */
  wrapped: z.string().nullable(),
  created_at: z.int(),
});
export type EncryptionKeyVersion = z.infer<typeof EncryptionKeyVersion>;

export const EncryptionKeyRecord = z.object({
  organization_id: z.string(),
  /** One more with each change. */
  revision: z.int(),
  /** Ascending; the last seals what is new. */
  versions: z.array(EncryptionKeyVersion).min(1),
  /** When all versions of that time were deleted, at last; null: never. */
  deleted_at: z.int().nullable(),
  /** Names of keys that are yet to be destroyed where they are kept. */
  doomed: z.array(z.string()),
});
export type EncryptionKeyRecord = z.infer<typeof EncryptionKeyRecord>;

export const EncryptionKey = z
  .object({
    object: z.literal("organization.encryption_key").openapi({ description: "Always `organization.encryption_key`." }),
    status: z.enum(["off", "none", "active", "deleted"]).openapi({
      description:
        "`off`: this deployment seals nothing; `none`: the key will be made when there is something to seal; `deleted`: what was stored cannot be read any more.",
    }),
    version: z.int().nullable().openapi({ description: "The version that seals what is new; null: there is none." }),
    created_at: z.int().nullable().openapi({ description: "When that version was made, Unix time in seconds." }),
    deleted_at: z.int().nullable().openapi({
      description: "Unix time in seconds: what was stored until then cannot be read any more; null: never deleted.",
    }),
  })
  .openapi("EncryptionKey");
export type EncryptionKey = z.infer<typeof EncryptionKey>;
