/** A file that comes in parts, each through the API or straight into the bucket; complete, it is a file like any other. */
import { z } from "@hono/zod-openapi";
import { File, filePurposes } from "./file.ts";

const id = z.string().openapi({ description: "`upload_…`, unique in the deployment." });
const created_at = z.int().openapi({ description: "Unix time in seconds." });
const partId = z.string().openapi({ description: "`part_…`, unique in the deployment." });

export const uploadStatuses = ["pending", "completed", "cancelled", "expired"] as const;

export const Upload = z
  .object({
    id,
    object: z.literal("upload").openapi({ description: "Always `upload`." }),
    bytes: z.int().min(1).openapi({ description: "Of the whole file, as it was declared." }),
    created_at,
    filename: z.string().openapi({ description: "The file's name." }),
    purpose: z.enum(filePurposes).openapi({ description: "What the file may be used for." }),
    status: z.enum(uploadStatuses).openapi({ description: "Parts are taken while it is `pending`, which is an hour." }),
    expires_at: z.int().openapi({ description: "Unix time from which on it takes no parts and is not completed." }),
    file: z.union([File, z.null()]).openapi({ description: "The file, once the upload is completed; null before." }),
  })
  .openapi("Upload");
export type Upload = z.infer<typeof Upload>;

/** The row. Its file is known by the id. */
export const UploadRecord = Upload.omit({ file: true }).extend({
  project_id: z.string(),
  /** Seconds that the file is kept from its creation on; null: for good. */
  file_seconds: z.int().nullable(),
  /** Of what became of it, in order; null until it is completed. */
  part_ids: z.array(z.string()).nullable(),
  expires_at_ttl: z.int(),
});
export type UploadRecord = z.infer<typeof UploadRecord>;

export const CreateUpload = z
  .strictObject({
    bytes: z.int().min(1).openapi({ description: "Of the whole file; its parts must come to exactly so many." }),
    filename: z.string().min(1).openapi({ description: "The file's name; its ending tells JSONL from CSV and TSV." }),
    mime_type: z
      .string()
      .min(1)
      .openapi({ description: "As OpenAI's clients send it; the filename's ending is what counts." }),
    purpose: z.enum(filePurposes).openapi({ description: "What the file may be used for." }),
    expires_after: z
      .strictObject({
        anchor: z.literal("created_at").openapi({ description: "What seconds count from: the file's creation." }),
        seconds: z.int().min(3600).max(2592000).openapi({ description: "One hour to thirty days." }),
      })
      .optional()
      .openapi({ description: "When the file is deleted; without: never." }),
  })
  .openapi("CreateUpload");
export type CreateUpload = z.infer<typeof CreateUpload>;

export const CompleteUpload = z
  .strictObject({
    part_ids: z.array(z.string()).min(1).max(1000).openapi({ description: "Every part of the file once, in order." }),
    md5: z
      .string()
      .regex(/^[0-9a-f]{32}$/i, "must be 32 hexadecimal digits")
      .optional()
      .openapi({ description: "Of the whole file; another is refused." }),
  })
  .openapi("CompleteUpload");
export type CompleteUpload = z.infer<typeof CompleteUpload>;

export const UploadPart = z
  .object({
    id: partId,
    object: z.literal("upload.part").openapi({ description: "Always `upload.part`." }),
    created_at,
    upload_id: id,
  })
  .openapi("UploadPart");
export type UploadPart = z.infer<typeof UploadPart>;

export const CreatePartLink = z
  .strictObject({
    bytes: z
      .int()
      .min(1)
      .max(5 * 1024 ** 3)
      .openapi({ description: "Of the part: the link takes exactly so many. S3 takes up to 5 GiB at once." }),
  })
  .openapi("CreatePartLink");
export type CreatePartLink = z.infer<typeof CreatePartLink>;

export const UploadPartLink = z
  .object({
    id: partId,
    object: z.literal("upload.part_link").openapi({ description: "Always `upload.part_link`." }),
    created_at,
    upload_id: id,
    method: z
      .literal("PUT")
      .openapi({ description: "How the bytes are sent, as the body and with no further header." }),
    url: z.url().openapi({ description: "Where to; it needs no key." }),
    expires_at: z.int().openapi({ description: "Unix time until which the link is good: when the upload expires." }),
  })
  .openapi("UploadPartLink");
export type UploadPartLink = z.infer<typeof UploadPartLink>;

/** The row of a part. */
export const PartRecord = UploadPart.extend({
  project_id: z.string(),
  object_key: z.string(),
  /** What was stored, or what its link takes; null: not stored yet. */
  bytes: z.int().nullable(),
  /** Whether its bytes go by a link into the bucket, past the API. */
  is_linked: z.boolean(),
  expires_at_ttl: z.int(),
});
export type PartRecord = z.infer<typeof PartRecord>;
