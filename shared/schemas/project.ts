/** Who owns data: an organization pays, a project isolates, a key opens one project. */
import { z } from "@hono/zod-openapi";

/** What is kept of each answer that a model gives the project. */
const InferenceRecords = z.enum(["none", "metadata", "full"]);
export type InferenceRecords = z.infer<typeof InferenceRecords>;

export const ProjectRecord = z.object({
  id: z.string(),
  organization_id: z.string(),
  /** Becomes part of the names of fine-tuned models, so it holds no colon. */
  organization_name: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string(),
  created_at: z.int(),
  /** Absent: `none`. */
  inference_records: InferenceRecords.optional(),
});
export type ProjectRecord = z.infer<typeof ProjectRecord>;

/** What those who work for a project must know of it. */
export type Project = Pick<ProjectRecord, "id" | "organization_id" | "organization_name" | "inference_records">;

const inferenceRecords = InferenceRecords.openapi({
  description:
    "What is kept of each answer of a model, under its `x-request-id`: nothing, what was asked of which model and how long it took, or input and output too.",
});

export const OrganizationProject = z
  .object({
    id: z.string().openapi({ description: "`proj_…`" }),
    object: z.literal("organization.project").openapi({ description: "Always `organization.project`." }),
    name: z.string().openapi({ description: "For people." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    archived_at: z.int().nullable().openapi({ description: "Always null: projects are not archived." }),
    status: z.literal("active").openapi({ description: "Always `active`." }),
    inference_records: inferenceRecords,
  })
  .openapi("OrganizationProject");
export type OrganizationProject = z.infer<typeof OrganizationProject>;

export const UpdateProject = z
  .strictObject({
    name: z.string().min(1).max(256).optional().openapi({ description: "For people; absent: as it is." }),
    inference_records: inferenceRecords.optional(),
  })
  .openapi("UpdateProject");
export type UpdateProject = z.infer<typeof UpdateProject>;

/** A key's row is found by the hash of its secret; the secret itself is stored nowhere. */
export const ApiKeyRecord = z.object({
  id: z.string(),
  hash: z.string(),
  /** Last four characters, so that people can tell keys apart. */
  hint: z.string(),
  name: z.string(),
  project_id: z.string(),
  created_at: z.int(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;
