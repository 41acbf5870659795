/** People of an organization, and who of them, and which programs, belong to a project. */
import { z } from "@hono/zod-openapi";
import { Role } from "./organization.ts";

export const UserRecord = z.object({
  id: z.string(),
  organization_id: z.string(),
  email: z.string(),
  name: z.string(),
  role: Role,
  added_at: z.int(),
});
export type UserRecord = z.infer<typeof UserRecord>;

/** Somebody of a project: `id` is the user's own, or the service account's. */
export const MemberRecord = UserRecord.omit({ email: true }).extend({
  type: z.enum(["user", "service_account"]),
  project_id: z.string(),
  /** Null of a service account. */
  email: z.string().nullable(),
});
export type MemberRecord = z.infer<typeof MemberRecord>;

const email = z.email().max(320).openapi({ example: "ann@example.com", description: "The person's address." });
const added_at = z.int().openapi({ description: "Unix time in seconds." });
const name = z.string().openapi({ description: "For people." });
const inOrganization = Role.openapi({
  description: "`owner`: their admin keys may change the organization; `member` and `reader`: they may look.",
});
const inProject = Role.openapi({
  description:
    "What their keys may do at most. `owner`: everything; `member`: all but the project's settings; `reader`: look.",
});

export const OrganizationUser = z
  .object({
    id: z.string().openapi({ description: "`user_…`" }),
    object: z.literal("organization.user").openapi({ description: "Always `organization.user`." }),
    ...{ email, name, added_at, role: inOrganization },
  })
  .openapi("OrganizationUser");
export type OrganizationUser = z.infer<typeof OrganizationUser>;

export const AddOrganizationUser = z
  .strictObject({
    email,
    name: z.string().min(1).max(256).optional().openapi({ description: "For people; absent: the address." }),
    role: inOrganization,
  })
  .openapi("AddOrganizationUser");
export type AddOrganizationUser = z.infer<typeof AddOrganizationUser>;

export const UpdateOrganizationUser = z.strictObject({ role: inOrganization }).openapi("UpdateOrganizationUser");

export const ProjectUser = z
  .object({
    id: z.string().openapi({ description: "`user_…`" }),
    object: z.literal("organization.project.user").openapi({ description: "Always `organization.project.user`." }),
    ...{ email, name, added_at, role: inProject },
  })
  .openapi("ProjectUser");
export type ProjectUser = z.infer<typeof ProjectUser>;

export const AddProjectUser = z
  .strictObject({
    user_id: z.string().min(1).max(64).nullish().openapi({ description: "A user of the organization." }),
    email: z
      .string()
      .min(1)
      .max(320)
      .nullish()
      .openapi({ example: "ann@example.com", description: "The same by the address; one of the two must be there." }),
    role: inProject,
  })
  .openapi("AddProjectUser");
export type AddProjectUser = z.infer<typeof AddProjectUser>;

export const UpdateProjectUser = z.strictObject({ role: inProject }).openapi("UpdateProjectUser");

export const ServiceAccount = z
  .object({
    id: z.string().openapi({ description: "`svcacct_…`" }),
    object: z
      .literal("organization.project.service_account")
      .openapi({ description: "Always `organization.project.service_account`." }),
    ...{ name, role: inProject, created_at: added_at },
  })
  .openapi("ServiceAccount");
export type ServiceAccount = z.infer<typeof ServiceAccount>;

const ServiceAccountKey = z
  .object({
    id: z.string().openapi({ description: "`key_…`" }),
    object: z
      .literal("organization.project.service_account.api_key")
      .openapi({ description: "Always `organization.project.service_account.api_key`." }),
    ...{ name, created_at: added_at },
    value: z.string().openapi({ description: "The secret, shown this once: it is stored nowhere." }),
  })
  .openapi("ServiceAccountApiKey");

export const CreatedServiceAccount = ServiceAccount.extend({
  api_key: ServiceAccountKey.openapi({ description: "A key of the account's." }),
}).openapi("CreatedServiceAccount");
export type CreatedServiceAccount = z.infer<typeof CreatedServiceAccount>;

export const CreateServiceAccount = z
  .strictObject({ name: z.string().min(1).max(256).openapi({ description: "For people." }) })
  .openapi("CreateServiceAccount");

const deleted = <Name extends string>(object: Name, title: string) =>
  z
    .object({
      id: z.string().openapi({ description: "The id it had." }),
      object: z.literal(object).openapi({ description: `Always \`${object}\`.` }),
      deleted: z.literal(true).openapi({ description: "Always true: the keys open nothing any more." }),
    })
    .openapi(title);

export const DeletedOrganizationUser = deleted("organization.user.deleted", "DeletedOrganizationUser");
export const DeletedProjectUser = deleted("organization.project.user.deleted", "DeletedProjectUser");
export const DeletedServiceAccount = deleted("organization.project.service_account.deleted", "DeletedServiceAccount");
