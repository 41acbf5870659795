/** What a secret opens: from a key to its project or its organization, and to what may be done there. */
import { ApiError } from "../../shared/errors.ts";
import { createRecent } from "../../shared/recent.ts";
import type { AdminKeyRecord } from "../../shared/schemas/adminKey.ts";
import { type ApiKeyRecord, type KeyRecord, type Scope, scopes, scopesOf } from "../../shared/schemas/apiKey.ts";
import type { Actor, Role } from "../../shared/schemas/organization.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { KeyLimits, Limits } from "../../shared/schemas/rateLimit.ts";
import { adminKeyPrefix } from "../../shared/stores/adminKeys.ts";
import { keyHash } from "../../shared/stores/apiKeyRows.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { createKeyUses } from "./keyUses.ts";
import type { LimitLookUp } from "./rateLimits.ts";

/** What is open to whoever sent a key. */
export type Opened =
  | {
      opens: "project";
      project: Project;
      actor: Actor;
      scopes: readonly Scope[];
      /** The project's, and what the key may have of it. */
      limits: Limits;
      keyLimits: KeyLimits;
    }
  | { opens: "organization"; actor: Actor; role: Role };

export interface KeyService {
  /** `claimed` is the project the client believes to be in, if it says so. */
  open(secret: string | undefined, claimed: string | undefined): Promise<Opened>;
  /** To be told of what this process changed, so that it holds here at once; elsewhere it does within seconds. */
  forgetKey(key: Pick<KeyRecord, "hash">): void;
  forgetProject(id: string): void;
  forgetMember(project: string, id: string): void;
  forgetUser(organization: string, id: string): void;
}

export function createKeyService(
  stores: Pick<Stores, "apiKeys" | "adminKeys" | "projects" | "members" | "users">,
  limits: Pick<LimitLookUp, "of">,
): KeyService {
  /** By the key's hash, so that no secret is kept. */
  const apiKeys = createRecent((hash) => stores.apiKeys.find(hash));
  const adminKeys = createRecent((hash) => stores.adminKeys.find(hash));
  const projects = createRecent((id) => stores.projects.get(id));

  const members = createRecent((key) => stores.members.get(...partsOf(key)));
  const users = createRecent((key) => stores.users.get(...partsOf(key)));
  const apiKeyUses = createKeyUses(stores.apiKeys);
  const adminKeyUses = createKeyUses(stores.adminKeys);

  const openProject = async (key: ApiKeyRecord | undefined, claimed: string | undefined): Promise<Opened> => {
    if (!live(key)) throw wrongKey();
    const [project, its] = await Promise.all([projects.get(key.project_id), limits.of(key.project_id)]);
    if (!project || project.archived_at !== undefined) throw wrongKey();
    if (claimed && claimed !== project.id) {
      const message = "The header 'openai-project' names another project than the API key's.";
      throw new ApiError("mismatched_project", message);
    }
    const owner = key.owner_id === undefined ? null : await members.get(keyOf(project.id, key.owner_id));
    if (owner === undefined) throw wrongKey();
    const { organization_id, id: project_id } = project;
    const actor: Actor = { organization_id, project_id, key: key.id, owner: owner && ownerOf(owner, owner.type) };
    apiKeyUses.note(key);
    return {
      opens: "project",
      project,
      actor,
      scopes: allowed(key, owner?.role ?? "owner"),
      limits: its,
      keyLimits: key,
    };
  };

  const openOrganization = async (key: AdminKeyRecord | undefined): Promise<Opened> => {
    if (!live(key)) throw wrongKey();
    const { organization_id } = key;
    const owner = key.owner_id === undefined ? null : await users.get(keyOf(organization_id, key.owner_id));
    if (owner === undefined) throw wrongKey();
    const actor: Actor = { organization_id, project_id: null, key: key.id, owner: owner && ownerOf(owner, "user") };
    adminKeyUses.note(key);
    return { opens: "organization", actor, role: owner?.role ?? "owner" };
  };

  return {
    async open(secret, claimed) {
      if (secret === undefined) {
        throw new ApiError("invalid_api_key", "No API key: send it as 'Authorization: Bearer <key>'.");
      }
      const hash = keyHash(secret);
      if (!secret.startsWith(adminKeyPrefix)) return openProject(await apiKeys.get(hash), claimed);
      return openOrganization(await adminKeys.get(hash));
    },
    forgetKey({ hash }) {
      apiKeys.forget(hash);
      adminKeys.forget(hash);
    },
    forgetProject: (id) => projects.forget(id),
    forgetMember: (project, id) => members.forget(keyOf(project, id)),
    forgetUser: (organization, id) => users.forget(keyOf(organization, id)),
  };
}

const keyOf = (owner: string, id: string) => JSON.stringify([owner, id]);
const partsOf = (key: string) => JSON.parse(key) as [owner: string, id: string];

const ownerOf = ({ id, email }: { id: string; email: string | null }, type: "user" | "service_account") => ({
  ...{ type, id, email },
});

function live<Key extends KeyRecord>(key: Key | undefined): key is Key {
  return key !== undefined && (key.expires_at === undefined || key.expires_at > Date.now() / 1000);
}

/** What the key is for, as far as its owner's role goes. */
export function allowed(key: Pick<ApiKeyRecord, "scopes">, role: Role): Scope[] {
  const own = key.scopes?.length ? key.scopes : scopes;
  return scopesOf[role].filter((scope) => own.includes(scope));
}

/** Nobody learns whether it ever was one. */
const wrongKey = () => new ApiError("invalid_api_key", "Incorrect API key.");
