/** Models: base models everyone may tune, and fine-tuned ones that belong to a project. */
import { z } from "@hono/zod-openapi";
import { BaseContent } from "./baseContent.ts";

export const Model = z
  .object({
    id: z.string().openapi({ description: "Name to call the model by: a base model's, or `ft:…`." }),
    object: z.literal("model").openapi({ description: "Always `model`." }),
    created: z.int().openapi({ description: "Unix time in seconds." }),
    owned_by: z.string().openapi({ description: "`millrace` for base models, else the organization's id." }),
    shutdown_date: z
      .string()
      .nullable()
      .optional()
      .openapi({ description: "When the model is withdrawn; null: not planned." }),
  })
  .openapi("Model");
export type Model = z.infer<typeof Model>;

export const TableColumn = z.object({ name: z.string(), kind: z.enum(["number", "category"]) });
export type TableColumn = z.infer<typeof TableColumn>;

/** The row of a fine-tuned model. Its artifact is one safetensors file whose metadata holds the configuration. */
export const ModelRecord = Model.extend({
  project_id: z.string(),
  base_model: z.string(),
  /** A base of the project's own, pre-trained further: `base` is itself, and it is called and tuned as an imported one. */
  kind: z.literal("base").optional(),
  /** The content of the imported base it was tuned from; absent where the base comes with Millrace. */
  base: BaseContent.optional(),
  /** What the rows it reads have; absent where it reads texts. */
  columns: z.array(TableColumn).optional(),
  job_id: z.string(),
  object_key: z.string(),
  /** SHA-256 of the artifact, hex: checked on load, returned in `x-millrace-model-digest`. */
  digest: z.string(),
  bytes: z.int(),
});
export type ModelRecord = z.infer<typeof ModelRecord>;

export const DeletedModel = z
  .object({
    id: z.string().openapi({ description: "The name the model had." }),
    object: z.literal("model").openapi({ description: "Always `model`." }),
    deleted: z.boolean().openapi({ description: "Always true: the model is gone." }),
  })
  .openapi("DeletedModel");
