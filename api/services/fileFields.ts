/** The form fields that come with a file, and what may be in its name. */
import { z } from "zod";
import { filePurposes } from "../../shared/schemas/file.ts";
import { toApiError } from "../../shared/validation.ts";

const anchor = "expires_after[anchor]";
const seconds = "expires_after[seconds]";

export const acceptedFields = ["purpose", anchor, seconds] as const;

const Fields = z
  .object({
    purpose: z.enum(filePurposes),
    [anchor]: z.literal("created_at").optional(),
    [seconds]: z.coerce.number().int().min(3600).max(2592000).optional(),
  })
  .refine((fields) => (fields[anchor] === undefined) === (fields[seconds] === undefined), {
    path: ["expires_after"],
    message: "anchor and seconds go together",
  });

export interface FileFields {
  purpose: (typeof filePurposes)[number];
  /** Seconds from creation; undefined: never. */
  expiresAfter: number | undefined;
}

export function parseFields(fields: Record<string, string | undefined>): FileFields {
  const parsed = Fields.safeParse(fields);
  if (parsed.success) return { purpose: parsed.data.purpose, expiresAfter: parsed.data[seconds] };
  throw toApiError(parsed.error.issues[0]!, fields);
}

/** Names travel in headers and end up on disks: any script, but nothing that steers a terminal or a path, and not endless. */
export function safeFilename(name: string): string {
  const safe = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069/\\]/gu, "")
    .trim();
  return [...safe].slice(0, 255).join("") || "file";
}
