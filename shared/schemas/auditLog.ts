/** Who changed what of an organization, and when: one line a change, written with the change itself. */
import { z } from "@hono/zod-openapi";

export const auditedTypes = [
  "api_key.created",
  "api_key.updated",
  "api_key.deleted",
  "checkpoint.permission.created",
  "checkpoint.permission.deleted",
  "encryption_key.rotated",
  "encryption_key.deleted",
  "project.created",
  "project.updated",
  "project.archived",
  "project.deleted",
  "rate_limit.updated",
  "rate_limit.deleted",
  "service_account.created",
  "service_account.updated",
  "service_account.deleted",
  "user.added",
  "user.updated",
  "user.deleted",
] as const;
export const AuditedType = z.enum(auditedTypes);
export type AuditedType = z.infer<typeof AuditedType>;

const AuditDetails = z.object({
  id: z.string().openapi({ description: "Id of what was changed." }),
  data: z.record(z.string(), z.unknown()).optional().openapi({ description: "What it was made of." }),
  changes_requested: z.record(z.string(), z.unknown()).optional().openapi({ description: "What was to be changed." }),
});
export type AuditDetails = z.infer<typeof AuditDetails>;

const id = z.string().optional().openapi({ description: "Its id." });
const AuditActor = z
  .object({
    type: z.literal("api_key").openapi({ description: "Always `api_key`: there is no other way in." }),
    api_key: z
      .object({
        id,
        type: z
          .enum(["user", "service_account"])
          .optional()
          .openapi({ description: "Absent: nobody's in particular." }),
        user: z
          .object({ id, email: z.string().optional().openapi({ description: "The person's address." }) })
          .optional()
          .openapi({ description: "The person whose key it is." }),
        service_account: z.object({ id }).optional().openapi({ description: "The program whose key it is." }),
      })
      .openapi({ description: "The key it was done with." }),
  })
  .openapi("AuditLogActor");
export type AuditActor = z.infer<typeof AuditActor>;

const detailsOf = (type: AuditedType) =>
  AuditDetails.optional().openapi({ description: `What was changed, where \`type\` is \`${type}\`.` });

export const AuditLog = z
  .object({
    id: z.string().openapi({ description: "`audit_log_…`; later ones sort behind." }),
    object: z.literal("organization.audit_log").openapi({ description: "Always `organization.audit_log`." }),
    type: AuditedType.openapi({ description: "What happened." }),
    effective_at: z.int().openapi({ description: "Unix time in seconds." }),
    project: z
      .object({ id, name: z.string().optional().openapi({ description: "Its name then." }) })
      .optional()
      .openapi({ description: "The project it happened in; absent: it concerns the organization." }),
    actor: AuditActor.openapi({ description: "Who did it." }),
    ...(Object.fromEntries(auditedTypes.map((type) => [type, detailsOf(type)])) as {
      [Type in AuditedType]: ReturnType<typeof detailsOf>;
    }),
  })
  .openapi("AuditLog");
export type AuditLog = z.infer<typeof AuditLog>;

/** Lists are sent as `event_types[]=…`, times as `effective_at[gte]=…`. */
export interface AuditFilter {
  effective_at: Record<"gt" | "gte" | "lt" | "lte", number | undefined>;
  event_types?: readonly string[] | undefined;
  project_ids?: readonly string[] | undefined;
  actor_ids?: readonly string[] | undefined;
  actor_emails?: readonly string[] | undefined;
  resource_ids?: readonly string[] | undefined;
}
