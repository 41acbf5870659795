/** Keys that administer an organization and open no project. */
import { z } from "@hono/zod-openapi";
import { KeyRecord, lastUsed } from "./apiKey.ts";
import { Role } from "./organization.ts";

export const AdminKeyRecord = KeyRecord.extend({ organization_id: z.string() });
export type AdminKeyRecord = z.infer<typeof AdminKeyRecord>;

const AdminKeyOwner = z
  .object({
    type: z.enum(["user", "organization"]).openapi({ description: "`organization`: it is nobody's in particular." }),
    object: z
      .enum(["organization.user", "organization"])
      .openapi({ description: "`organization.user` or `organization`." }),
    id: z.string().openapi({ description: "Id of the user or the organization." }),
    name: z.string().openapi({ description: "For people." }),
    role: Role.openapi({ description: "`owner` may change the organization; others look." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
  })
  .openapi("AdminApiKeyOwner");
export type AdminKeyOwner = z.infer<typeof AdminKeyOwner>;

export const AdminApiKey = z
  .object({
    id: z.string().openapi({ description: "`adminkey_…`, as audit logs name it." }),
    object: z.literal("organization.admin_api_key").openapi({ description: "Always `organization.admin_api_key`." }),
    name: z.string().openapi({ description: "For people." }),
    redacted_value: z.string().openapi({ description: "How the secret begins and ends." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    last_used_at: lastUsed,
    expires_at: z
      .int()
      .nullable()
      .openapi({ description: "Unix time in seconds from which on it opens nothing; null: it does not expire." }),
    owner: AdminKeyOwner.openapi({ description: "Whose key it is." }),
  })
  .openapi("AdminApiKey");
export type AdminApiKey = z.infer<typeof AdminApiKey>;

export const CreatedAdminApiKey = AdminApiKey.extend({
  value: z.string().openapi({ description: "The secret, shown this once: it is stored nowhere." }),
}).openapi("CreatedAdminApiKey");
export type CreatedAdminApiKey = z.infer<typeof CreatedAdminApiKey>;

export const CreateAdminApiKey = z
  .strictObject({
    name: z.string().min(1).max(256).openapi({ description: "For people." }),
    expires_in_seconds: z
      .int()
      .min(1)
      .max(315_360_000)
      .nullish()
      .openapi({ description: "After how many seconds it ends; absent or null: never." }),
    user_id: z
      .string()
      .min(1)
      .max(64)
      .nullish()
      .openapi({ description: "A user of the organization whose role bounds the key; absent or null: nobody's." }),
  })
  .openapi("CreateAdminApiKey");
export type CreateAdminApiKey = z.infer<typeof CreateAdminApiKey>;

export const DeletedAdminApiKey = z
  .object({
    id: z.string().openapi({ description: "The id it had." }),
    object: z
      .literal("organization.admin_api_key.deleted")
      .openapi({ description: "Always `organization.admin_api_key.deleted`." }),
    deleted: z.literal(true).openapi({ description: "Always true: it opens nothing any more." }),
  })
  .openapi("DeletedAdminApiKey");
