/** Rows of models for those who are asked to run them: as fresh as a moment ago. */
import { createRecent } from "../recent.ts";
import type { Bases } from "../stores/bases.ts";
import type { Models } from "../stores/models.ts";
import type { Stores } from "../stores/stores.ts";

export interface RecentModels {
  bases: Pick<Bases, "get">;
  models: Pick<Models, "get">;
  /** A model that this process deleted is gone at once. */
  forget(project: string, id: string): void;
}

export function createRecentModels({ bases, models }: Pick<Stores, "bases" | "models">): RecentModels {
  const recentBases = createRecent((id) => bases.get(id));
  const recentModels = createRecent((key) => {
    const [project, id] = JSON.parse(key) as [string, string];
    return models.get(project, id);
  });
  const keyOf = (project: string, id: string) => JSON.stringify([project, id]);
  return {
    bases: recentBases,
    models: { get: (project, id) => recentModels.get(keyOf(project, id)) },
    forget: (project, id) => recentModels.forget(keyOf(project, id)),
  };
}
