/** Uploaded files: the bytes live in the bucket, this is their row. */
import { z } from "@hono/zod-openapi";

export const filePurposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"] as const;

export const storedPurposes = [...filePurposes, "assistants_output", "batch_output", "fine-tune-results"] as const;

export const File = z
  .object({
    id: z.string().openapi({ description: "`file-…`, unique in the deployment.", example: "file-01k9x3v5q8" }),
    object: z.literal("file").openapi({ description: "Always `file`." }),
    bytes: z.int().min(0).openapi({ description: "Size of the content in bytes." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    filename: z.string().openapi({ description: "Name as uploaded; its ending tells JSONL from CSV and TSV." }),
    purpose: z.enum(storedPurposes).openapi({ description: "What the file may be used for." }),
    status: z.enum(["uploaded", "processed", "error"]).openapi({
      description: "`processed` once every byte is stored. The content is checked when a job names the file.",
    }),
    expires_at: z.int().nullable().optional().openapi({ description: "Unix time of deletion; null or absent: never." }),
    status_details: z
      .string()
      .nullable()
      .optional()
      .openapi({ description: "Why `status` is `error`; null otherwise." }),
  })
  .openapi("File");
export type File = z.infer<typeof File>;

/** The row: the file and where its bytes are. */
export const FileRecord = File.extend({
  project_id: z.string(),
  object_key: z.string(),
  /** `expires_at` again, under the name that DynamoDB deletes by; absent: never. */
  expires_at_ttl: z.int().optional(),
});
export type FileRecord = z.infer<typeof FileRecord>;

export const DeletedFile = z
  .object({
    id: z.string().openapi({ description: "The id the file had." }),
    object: z.literal("file").openapi({ description: "Always `file`." }),
    deleted: z.boolean().openapi({ description: "Always true: the file is gone." }),
  })
  .openapi("DeletedFile");
