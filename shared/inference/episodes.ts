/** To which episode a call belongs: by its header, or by its metadata where there are no headers to send. */
import { ApiError, notFound } from "../errors.ts";
import { isId, newId } from "../ids.ts";
import { createRecent } from "../recent.ts";
import type { Project } from "../schemas/project.ts";
import type { Episodes } from "../stores/episodes.ts";

export const episodeHeader = "x-millrace-episode";

export interface EpisodeLookUp {
  /**
   * Null: to none. The header `new` begins one. Throws ApiError where what is named is no episode of the project, or where
   * header and metadata name two.
   */
  of(project: Project, asked: { header?: string | undefined; request: unknown }): Promise<string | null>;
}

const daySeconds = 24 * 60 * 60;

export function createEpisodeLookUp(episodes: Pick<Episodes, "create" | "get">): EpisodeLookUp {
  const known = createRecent(async (key: string) => {
    const [project = "", id = ""] = key.split("/");
    return episodes.get(project, id);
  });
  const begin = async (project: Project): Promise<string> => {
    const id = newId("episode");
    const created_at = Math.floor(Date.now() / 1000);
    const days = project.inference_retention_days ?? null;
    const expires_at = days === null ? null : created_at + days * daySeconds;
    await episodes.create({ id, project_id: project.id, created_at, expires_at });
    return id;
  };
  return {
    async of(project, { header, request }) {
      const labelled = episodeLabel(request);
      if (header === undefined && labelled === undefined) return null;
      const [id, param] = header === undefined ? [labelled!, "metadata.episode_id"] : [header, episodeHeader];
      if (header !== undefined && labelled !== undefined && labelled !== header) {
        const message = `The header '${episodeHeader}' and 'metadata.episode_id' name two episodes.`;
        throw new ApiError("invalid_value", message, { param: episodeHeader });
      }
      if (header === "new") return begin(project);
      if (!isId("episode", id)) {
        const message = `Invalid value for '${param}': it must be the id of an episode, 'ep_…'${header === undefined ? "" : ", or 'new'"}.`;
        throw new ApiError("invalid_value", message, { param });
      }
      if (!(await known.get(`${project.id}/${id}`))) throw notFound("episode", id, param);
      return id;
    },
  };
}

/** Somebody else's label of this name is none of ours. */
function episodeLabel(request: unknown): string | undefined {
  const label = (request as { metadata?: { episode_id?: unknown } | null }).metadata?.episode_id;
  return typeof label === "string" && label.startsWith("ep_") ? label : undefined;
}
