/** Rows of models for those who are asked to run them: as fresh as a moment ago. */
import { createRecent } from "../recent.ts";
import type { Aliases } from "../stores/aliases.ts";
import type { Bases } from "../stores/bases.ts";
import type { Models } from "../stores/models.ts";
import type { Permissions } from "../stores/permissions.ts";
import type { Stores } from "../stores/stores.ts";

export interface RecentModels {
  bases: Pick<Bases, "get">;
  models: Pick<Models, "get">;
  aliases: Pick<Aliases, "get">;
  permissions: Pick<Permissions, "get">;
  /** A model that this process deleted is gone at once. */
  forget(project: string, id: string): void;
  /** One that this process moved is where it belongs at once. */
  forgetAlias(project: string, name: string): void;
  /** One that this process took back is refused at once. */
  forgetPermission(project: string, model: string): void;
}

export function createRecentModels({
  bases,
  models,
  aliases,
  permissions,
}: Pick<Stores, "bases" | "models" | "aliases" | "permissions">): RecentModels {
  const recentBases = createRecent((id) => bases.get(id));
  const recentModels = createRecent((key) => models.get(...partsOf(key)));
  const recentAliases = createRecent((key) => aliases.get(...partsOf(key)));
  const recentPermissions = createRecent((key) => permissions.get(...partsOf(key)));
  return {
    bases: recentBases,
    models: { get: (project, id) => recentModels.get(keyOf(project, id)) },
    aliases: { get: (project, name) => recentAliases.get(keyOf(project, name)) },
    permissions: { get: (project, model) => recentPermissions.get(keyOf(project, model)) },
    forget: (project, id) => recentModels.forget(keyOf(project, id)),
    forgetAlias: (project, name) => recentAliases.forget(keyOf(project, name)),
    forgetPermission: (project, model) => recentPermissions.forget(keyOf(project, model)),
  };
}

const keyOf = (project: string, name: string) => JSON.stringify([project, name]);
const partsOf = (key: string) => JSON.parse(key) as [project: string, name: string];
