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
  /** Absent: it is active. */
  archived_at: z.int().optional(),
  /** Absent: `none`. */
  inference_records: InferenceRecords.optional(),
  /** Absent: 1. */
  inference_sampling_rate: z.number().optional(),
  /** Absent or null: for ever. */
  inference_retention_days: z.int().nullable().optional(),
});
export type ProjectRecord = z.infer<typeof ProjectRecord>;

/** What those who work for a project must know of it. */
export type Project = Pick<ProjectRecord, "id" | "organization_id" | "organization_name" | keyof InferencePolicy>;

/** What is kept of answers, of how many of them, and for how long. */
export type InferencePolicy = Pick<
  ProjectRecord,
  "inference_records" | "inference_sampling_rate" | "inference_retention_days"
>;

const inferenceRecords = InferenceRecords.openapi({
  description:
    "What is kept of each answer of a model, under its `x-request-id`: nothing, what was asked of which model and how long it took, or input and output too.",
});

const samplingRate = z.number().min(0).max(1).openapi({
  description:
    "The share of answers of which that is kept, 0 to 1; which ones, their ids decide. Stored chat completions are always kept.",
});

const retentionDays = z.int().min(1).max(3650);
const retention = {
  description:
    "Days after which inferences that come from now on are gone, stored chat completions among them, and their feedback with them, 1 to 3,650; null: they stay until they are deleted.",
};

export const OrganizationProject = z
  .object({
    id: z.string().openapi({ description: "`proj_…`" }),
    object: z.literal("organization.project").openapi({ description: "Always `organization.project`." }),
    name: z.string().openapi({ description: "For people." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    archived_at: z.int().nullable().openapi({ description: "Unix time in seconds; null: it is not archived." }),
    status: z
      .enum(["active", "archived"])
      .openapi({ description: "`archived`: its keys open nothing any more; its data stays until it expires." }),
    inference_records: inferenceRecords,
    inference_sampling_rate: samplingRate,
    inference_retention_days: retentionDays.nullable().openapi(retention),
  })
  .openapi("OrganizationProject");
export type OrganizationProject = z.infer<typeof OrganizationProject>;

export const CreateProject = z
  .strictObject({ name: z.string().min(1).max(256).openapi({ description: "For people." }) })
  .openapi("CreateProject");
export type CreateProject = z.infer<typeof CreateProject>;

export const UpdateProject = z
  .strictObject({
    name: z.string().min(1).max(256).nullish().openapi({ description: "For people; absent or null: as it is." }),
    inference_records: inferenceRecords.optional(),
    inference_sampling_rate: samplingRate.optional(),
    inference_retention_days: retentionDays.nullish().openapi(retention),
  })
  .openapi("UpdateProject");
export type UpdateProject = z.infer<typeof UpdateProject>;
