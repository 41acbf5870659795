/** That a project may call a model of another one of its organization. */
import { z } from "@hono/zod-openapi";

export const PermissionRecord = z.object({
  id: z.string(),
  organization_id: z.string(),
  /** Who may call it. */
  project_id: z.string(),
  /** Whose it is, and stays: rows of a batch are bound to it. */
  owner_project_id: z.string(),
  model: z.string(),
  created_at: z.int(),
});
export type PermissionRecord = z.infer<typeof PermissionRecord>;

export const CheckpointPermission = z
  .object({
    id: z.string().openapi({ description: "`cp_…`" }),
    object: z.literal("checkpoint.permission").openapi({ description: "Always `checkpoint.permission`." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    project_id: z.string().openapi({ description: "The project that may call the model." }),
  })
  .openapi("CheckpointPermission");
export type CheckpointPermission = z.infer<typeof CheckpointPermission>;

/** A transaction writes them all, and has room for no more. */
const mostAtOnce = 25;

export const CreateCheckpointPermissions = z
  .strictObject({
    project_ids: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(mostAtOnce)
      .openapi({ description: "Projects of the organization that may call the model from now on." }),
  })
  .openapi("CreateCheckpointPermissions");
export type CreateCheckpointPermissions = z.infer<typeof CreateCheckpointPermissions>;

export const DeletedCheckpointPermission = z
  .object({
    id: z.string().openapi({ description: "The id it had." }),
    object: z.literal("checkpoint.permission").openapi({ description: "Always `checkpoint.permission`." }),
    deleted: z.literal(true).openapi({ description: "Always true: the project may no longer call the model." }),
  })
  .openapi("DeletedCheckpointPermission");
