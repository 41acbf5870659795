/** A project's API keys: what each opens, and until when. A secret is shown once and stored nowhere. */
import { z } from "@hono/zod-openapi";
import { Role } from "./organization.ts";
import { askedKeyLimits, KeyLimits, shownKeyLimits } from "./rateLimit.ts";

export const scopes = ["read", "inference", "training", "admin"] as const;
export const Scope = z.enum(scopes).openapi({
  description:
    "`read`: look at what is there; `inference`: call models and judge their answers; `training`: data, jobs, evals and what names their models; `admin`: the project's own settings.",
});
export type Scope = z.infer<typeof Scope>;

/** What a role in a project lets its bearer's keys do at most. */
export const scopesOf: Record<Role, readonly Scope[]> = {
  owner: scopes,
  member: ["read", "inference", "training"],
  reader: ["read"],
};

/** A key's row is found by the hash of its secret. */
export const KeyRecord = z.object({
  id: z.string(),
  hash: z.string(),
  /** Last four characters, so that people can tell keys apart. */
  hint: z.string(),
  name: z.string(),
  created_at: z.int(),
  /** Unix time in seconds from which on it opens nothing; absent: never. */
  expires_at: z.int().optional(),
  /** Unix time in seconds, to within a minute or two; absent: never. */
  last_used_at: z.int().optional(),
  /** The user or service account whose rights bound the key's; absent: nobody. */
  owner_id: z.string().optional(),
});
export type KeyRecord = z.infer<typeof KeyRecord>;

export const ApiKeyRecord = KeyRecord.extend({
  project_id: z.string(),
  ...KeyLimits.shape,
  /** Absent or empty: all. */
  scopes: z.array(Scope).optional(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;

const account = {
  id: z.string().openapi({ description: "Its id." }),
  name: z.string().openapi({ description: "For people." }),
  created_at: z.int().openapi({ description: "Unix time in seconds since when it belongs to the project." }),
  role: Role.openapi({ description: "Its role in the project." }),
};

const KeyOwner = z
  .object({
    type: z.enum(["user", "service_account"]).optional().openapi({ description: "Absent: nobody's in particular." }),
    user: z
      .object({ ...account, email: z.string().openapi({ description: "The person's address." }) })
      .optional()
      .openapi({ description: "The person whose role bounds the key's scopes." }),
    service_account: z.object(account).optional().openapi({ description: "The program, likewise." }),
  })
  .openapi("ApiKeyOwner");
export type KeyOwner = z.infer<typeof KeyOwner>;

export const lastUsed = z
  .int()
  .nullable()
  .openapi({ description: "Unix time in seconds, to within two minutes; null: it was not used yet." });

const expiry = z.int().min(1).max(315_360_000);

export const ProjectApiKey = z
  .object({
    id: z.string().openapi({ description: "`key_…`, as audit logs and the movers of aliases name it." }),
    object: z
      .literal("organization.project.api_key")
      .openapi({ description: "Always `organization.project.api_key`." }),
    name: z.string().openapi({ description: "For people." }),
    redacted_value: z.string().openapi({ description: "How the secret begins and ends." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    last_used_at: lastUsed,
    expires_at: z
      .int()
      .nullable()
      .openapi({ description: "Unix time in seconds from which on it opens nothing; null: it does not expire." }),
    scopes: z.array(Scope).openapi({ description: "What it may be used for, as far as its owner's role goes." }),
    owner: KeyOwner.openapi({ description: "Whose key it is." }),
    owner_project_access: z
      .enum(["active", "inactive"])
      .openapi({ description: "`inactive`: its owner is no longer of the project, and it opens nothing." }),
    ...shownKeyLimits,
  })
  .openapi("ProjectApiKey");
export type ProjectApiKey = z.infer<typeof ProjectApiKey>;

export const CreatedProjectApiKey = ProjectApiKey.extend({
  value: z.string().openapi({ description: "The secret, shown this once: it is stored nowhere." }),
}).openapi("CreatedProjectApiKey");
export type CreatedProjectApiKey = z.infer<typeof CreatedProjectApiKey>;

const scopesField = z.array(Scope).max(scopes.length);

export const CreateProjectApiKey = z
  .strictObject({
    name: z.string().min(1).max(256).openapi({ description: "For people." }),
    scopes: scopesField.optional().openapi({ description: "What it may be used for; absent or empty: everything." }),
    expires_in_seconds: expiry
      .nullish()
      .openapi({ description: "After how many seconds it ends; absent or null: never." }),
    user_id: z
      .string()
      .min(1)
      .max(64)
      .nullish()
      .openapi({ description: "A user of the project whose role bounds the key; absent or null: nobody's." }),
    ...askedKeyLimits,
  })
  .openapi("CreateProjectApiKey");
export type CreateProjectApiKey = z.infer<typeof CreateProjectApiKey>;

export const UpdateProjectApiKey = z
  .strictObject({
    scopes: scopesField.optional().openapi({ description: "Its scopes from now on; empty: all. Absent: as they are." }),
    expires_in_seconds: expiry.optional().openapi({ description: "Seconds from now until it ends; absent: as it is." }),
    ...askedKeyLimits,
  })
  .openapi("UpdateProjectApiKey");
export type UpdateProjectApiKey = z.infer<typeof UpdateProjectApiKey>;

export const RotateProjectApiKey = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(2_592_000)
      .default(86_400)
      .openapi({ description: "For how long the old secret still opens the project, up to 30 days; 0: not at all." }),
  })
  .openapi("RotateProjectApiKey");
export type RotateProjectApiKey = z.infer<typeof RotateProjectApiKey>;

export const DeletedProjectApiKey = z
  .object({
    id: z.string().openapi({ description: "The id it had." }),
    object: z
      .literal("organization.project.api_key.deleted")
      .openapi({ description: "Always `organization.project.api_key.deleted`." }),
    deleted: z.literal(true).openapi({ description: "Always true: it opens nothing any more." }),
  })
  .openapi("DeletedProjectApiKey");
