/** Who owns data: an organization pays, a project isolates, a key opens one project. */
import { z } from "zod";

export const ProjectRecord = z.object({
  id: z.string(),
  organization_id: z.string(),
  /** Becomes part of the names of fine-tuned models, so it holds no colon. */
  organization_name: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string(),
  created_at: z.int(),
});
export type ProjectRecord = z.infer<typeof ProjectRecord>;

/** What those who work for a project must know of it. */
export type Project = Pick<ProjectRecord, "id" | "organization_id" | "organization_name">;

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
