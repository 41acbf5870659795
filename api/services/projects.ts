/** Whose request is it: from a key to the project it opens; and what the project says of itself. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { createRecent } from "../../shared/recent.ts";
import type { OrganizationProject, Project, ProjectRecord, UpdateProject } from "../../shared/schemas/project.ts";
import { keyHash, type Projects } from "../../shared/stores/projects.ts";

export interface ProjectService {
  /** `claimed` is the project the client believes to be in, if it says so. */
  authenticate(secret: string | undefined, claimed: string | undefined): Promise<{ project: Project; key: string }>;
  /** Any other project than one's own is 404. */
  get(project: Project, id: string): Promise<OrganizationProject>;
  update(project: Project, id: string, changes: UpdateProject): Promise<OrganizationProject>;
}

export function createProjectService(projects: Projects): ProjectService {
  /** By the key's hash, so that no secret is kept. */
  const keys = createRecent((hash) => projects.findKey(hash));
  const opened = createRecent((id) => projects.get(id));

  const get: ProjectService["get"] = async (project, id) => {
    const found = id === project.id ? await projects.get(id) : undefined;
    if (!found) throw notFound("project", id);
    return shown(found);
  };

  return {
    get,
    async update(project, id, changes) {
      if (id !== project.id || !(await projects.update(id, changes))) throw notFound("project", id);
      opened.forget(id);
      return get(project, id);
    },
    async authenticate(secret, claimed) {
      if (secret === undefined) {
        throw new ApiError("invalid_api_key", "No API key: send it as 'Authorization: Bearer <key>'.");
      }
      const key = await keys.get(keyHash(secret));
      const project = key && (await opened.get(key.project_id));
      if (!key || !project) throw new ApiError("invalid_api_key", "Incorrect API key.");
      if (claimed && claimed !== project.id) {
        throw new ApiError(
          "mismatched_project",
          "The header 'openai-project' names another project than the API key's.",
        );
      }
      return { project, key: key.id };
    },
  };
}

function shown(record: ProjectRecord): OrganizationProject {
  return {
    id: record.id,
    object: "organization.project",
    name: record.name,
    created_at: record.created_at,
    archived_at: null,
    status: "active",
    inference_records: record.inference_records ?? "none",
    inference_sampling_rate: record.inference_sampling_rate ?? 1,
    inference_retention_days: record.inference_retention_days ?? null,
  };
}
