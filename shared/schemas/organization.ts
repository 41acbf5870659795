/** Who pays: an organization has projects, people and the keys that administer them. */
import { z } from "@hono/zod-openapi";

export const OrganizationRecord = z.object({
  id: z.string(),
  /** Becomes part of the names of fine-tuned models, so it holds no colon. */
  name: z.string().regex(/^[a-z0-9-]+$/),
  created_at: z.int(),
});
export type OrganizationRecord = z.infer<typeof OrganizationRecord>;

/** What somebody may do: in the organization `owner` changes it and the others look; in a project see `scopesOf`. */
export const roles = ["owner", "member", "reader"] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

/** Who changes something of an organization: as an audit log tells it. */
export interface Actor {
  organization_id: string;
  /** Null with an admin key, which opens all projects of its organization. */
  project_id: string | null;
  /** Id of the API key. */
  key: string;
  /** Whose key it is; null: nobody's in particular. */
  owner: { type: "user" | "service_account"; id: string; email: string | null } | null;
}
