/** Whose request is it: from a key to the project it opens. */
import { ApiError } from "../../shared/errors.ts";
import { createRecent } from "../../shared/recent.ts";
import type { Project } from "../../shared/schemas/project.ts";
import { keyHash, type Projects } from "../../shared/stores/projects.ts";

export interface ProjectService {
  /** `claimed` is the project the client believes to be in, if it says so. */
  authenticate(secret: string | undefined, claimed: string | undefined): Promise<Project>;
}

export function createProjectService(projects: Projects): ProjectService {
  /** By the key's hash, so that no secret is kept. */
  const opened = createRecent(async (hash) => {
    const key = await projects.findKey(hash);
    return key && projects.get(key.project_id);
  });
  return {
    async authenticate(secret, claimed) {
      if (secret === undefined) {
        throw new ApiError("invalid_api_key", "No API key: send it as 'Authorization: Bearer <key>'.");
      }
      const project = await opened.get(keyHash(secret));
      if (!project) throw new ApiError("invalid_api_key", "Incorrect API key.");
      if (claimed && claimed !== project.id) {
        throw new ApiError(
          "mismatched_project",
          "The header 'openai-project' names another project than the API key's.",
        );
      }
      return project;
    },
  };
}
