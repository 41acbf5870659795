/** Whose request is it: from a key to the project it opens. */
import { ApiError } from "../../shared/errors.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Projects } from "../../shared/stores/projects.ts";

export interface ProjectService {
  /** `claimed` is the project the client believes to be in, if it says so. */
  authenticate(secret: string | undefined, claimed: string | undefined): Promise<Project>;
}

export function createProjectService(projects: Projects): ProjectService {
  return {
    async authenticate(secret, claimed) {
      if (secret === undefined) {
        throw new ApiError("invalid_api_key", "No API key: send it as 'Authorization: Bearer <key>'.");
      }
      const key = await projects.findKey(secret);
      const project = key && (await projects.get(key.project_id));
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
