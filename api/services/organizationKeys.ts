/** The API keys of projects as an organization sees them: made, bounded, rotated and revoked. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import {
  type ApiKeyRecord,
  type CreatedProjectApiKey,
  type CreateProjectApiKey,
  type KeyOwner,
  type KeyRecord,
  type ProjectApiKey,
  type RotateProjectApiKey,
  scopes,
  type UpdateProjectApiKey,
} from "../../shared/schemas/apiKey.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import type { ProjectRecord } from "../../shared/schemas/project.ts";
import { KeyLimits } from "../../shared/schemas/rateLimit.ts";
import type { MemberRecord } from "../../shared/schemas/user.ts";
import { apiKeyPrefix, newApiKey } from "../../shared/stores/apiKeys.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Paging } from "./fineTuningJobs.ts";
import type { KeyService } from "./keys.ts";
import type { ProjectService } from "./projects.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface OrganizationKeyService {
  create(actor: Actor, project: string, request: CreateProjectApiKey, attempt: Attempt): Promise<CreatedProjectApiKey>;
  list(actor: Actor, project: string, paging: Paging): Promise<Page<ProjectApiKey>>;
  get(actor: Actor, project: string, id: string): Promise<ProjectApiKey>;
  update(actor: Actor, project: string, id: string, request: UpdateProjectApiKey): Promise<ProjectApiKey>;
  /** A new secret; the old one goes on for as long as they overlap. */
  rotate(
    actor: Actor,
    project: string,
    id: string,
    request: RotateProjectApiKey,
    attempt: Attempt,
  ): Promise<CreatedProjectApiKey>;
  delete(actor: Actor, project: string, id: string): Promise<void>;
}

const now = () => Math.floor(Date.now() / 1000);

export function createOrganizationKeyService(
  { apiKeys, members }: Pick<Stores, "apiKeys" | "members">,
  projects: Pick<ProjectService, "require" | "requireActive">,
  keys: Pick<KeyService, "forgetKey">,
): OrganizationKeyService {
  const require = async (project: string, id: string): Promise<ApiKeyRecord> => {
    const key = isId("api_key", id) ? await apiKeys.get(project, id) : undefined;
    if (!key) throw notFound("API key", id, "key_id");
    return key;
  };

  const shown = async (key: ApiKeyRecord): Promise<ProjectApiKey> => {
    return shownWith(key, key.owner_id === undefined ? undefined : await members.get(key.project_id, key.owner_id));
  };

  return {
    async create(actor, id, { name, scopes: asked, expires_in_seconds, user_id, ...limits }, attempt) {
      const project = await projects.requireActive(actor, id);
      const owner = user_id != null && isId("user", user_id) ? await members.get(id, user_id) : undefined;
      if (user_id != null && !owner) {
        throw new ApiError("invalid_value", `No such user of the project: '${user_id}'.`, { param: "user_id" });
      }
      const fields = {
        ...{ name, project_id: project.id },
        ...(asked?.length && { scopes: [...new Set(asked)] }),
        ...(expires_in_seconds != null && { expires_at: now() + expires_in_seconds }),
        ...(owner && { owner_id: owner.id }),
        ...KeyLimits.parse(withoutNulls(limits)),
      };
      const { secret, record } = newApiKey(fields, idFor("api_key", attempt));
      const details = { id: record.id, data: { scopes: scopesOfKey(record) } };
      await apiKeys.create(record, [auditWrite(actor, { type: "api_key.created", details, project })]);
      return { ...(await shown(record)), value: secret };
    },
    async list(actor, id, { limit, after }) {
      await projects.require(actor, id);
      const found = await apiKeys.list(id, { limit: limit + 1, ...(after && { after }) });
      return toPage(await Promise.all(found.map(shown)), limit);
    },
    async get(actor, project, id) {
      await projects.require(actor, project);
      return shown(await require(project, id));
    },
    async update(actor, project_id, id, request) {
      const project = await projects.requireActive(actor, project_id);
      const key = await require(project_id, id);
      const changes = changesOf(request);
      if (Object.keys(changes).length === 0) return shown(key);
      const details = { id, changes_requested: request };
      const audit = auditWrite(actor, { type: "api_key.updated", details, project });
      if (!(await apiKeys.update(key, changes, [audit]))) throw notFound("API key", id, "key_id");
      keys.forgetKey(key);
      return shown({ ...key, ...changes });
    },
    async rotate(actor, project_id, id, { overlap_seconds }, attempt) {
      const project = await projects.requireActive(actor, project_id);
      const old = await require(project_id, id);
      if ((old.expires_at ?? Number.POSITIVE_INFINITY) <= now()) {
        throw new ApiError("invalid_state", `The API key '${id}' has expired: make a new one.`, { param: "key_id" });
      }
      const { secret, record } = newApiKey(withoutSecret(old), idFor("api_key", attempt));
      const expires_at = Math.min(old.expires_at ?? Number.POSITIVE_INFINITY, now() + overlap_seconds);
      const audits = rotatedWrites(actor, project, old, record, overlap_seconds);
      const isRotated = await apiKeys.rotate({ ...old, expires_at }, record, audits);
      if (!isRotated && !(await apiKeys.get(project_id, record.id))) throw notFound("API key", id, "key_id");
      // Its maker died before anybody saw the secret.
      if (!isRotated) await apiKeys.create(record);
      keys.forgetKey(old);
      return { ...(await shown(record)), value: secret };
    },
    async delete(actor, project_id, id) {
      const project = await projects.require(actor, project_id);
      const key = await require(project_id, id);
      const audit = auditWrite(actor, { type: "api_key.deleted", details: { id }, project });
      if (!(await apiKeys.delete(key, [audit]))) throw notFound("API key", id, "key_id");
      keys.forgetKey(key);
    },
  };
}

function changesOf({ scopes: asked, expires_in_seconds, ...limits }: UpdateProjectApiKey): Partial<ApiKeyRecord> {
  return {
    ...(asked && { scopes: [...new Set(asked)] }),
    ...(expires_in_seconds !== undefined && { expires_at: now() + expires_in_seconds }),
    // What is undefined is taken out of the row.
    ...Object.fromEntries(Object.entries(limits).map(([name, amount]) => [name, amount ?? undefined])),
  };
}

function rotatedWrites(actor: Actor, project: ProjectRecord, old: ApiKeyRecord, next: ApiKeyRecord, overlap: number) {
  const data = { scopes: scopesOfKey(next), rotated_from: old.id };
  const changes_requested = { expires_in_seconds: overlap };
  return [
    auditWrite(actor, { type: "api_key.created", project, details: { id: next.id, data } }),
    auditWrite(actor, { type: "api_key.updated", project, details: { id: old.id, changes_requested } }),
  ];
}

/** What a key's successor takes over. */
function withoutSecret({ name, project_id, scopes: own, expires_at, owner_id, ...more }: ApiKeyRecord) {
  return {
    ...KeyLimits.parse(more),
    ...{ name, project_id },
    ...(own && { scopes: own }),
    ...(expires_at !== undefined && { expires_at }),
    ...(owner_id !== undefined && { owner_id }),
  };
}

const withoutNulls = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

const scopesOfKey = (key: Pick<ApiKeyRecord, "scopes">) => (key.scopes?.length ? key.scopes : [...scopes]);

export const redacted = (prefix: string, { hint }: Pick<KeyRecord, "hint">) => `${prefix}********${hint}`;

function shownWith(key: ApiKeyRecord, owner: MemberRecord | undefined): ProjectApiKey {
  return {
    id: key.id,
    object: "organization.project.api_key",
    name: key.name,
    redacted_value: redacted(apiKeyPrefix, key),
    created_at: key.created_at,
    last_used_at: key.last_used_at ?? null,
    expires_at: key.expires_at ?? null,
    scopes: scopesOfKey(key),
    owner: owner ? shownOwner(owner) : {},
    owner_project_access: key.owner_id !== undefined && !owner ? "inactive" : "active",
    max_requests_per_1_minute: key.max_requests_per_1_minute ?? null,
    max_tokens_per_1_minute: key.max_tokens_per_1_minute ?? null,
  };
}

function shownOwner({ id, type, name, role, email, added_at }: MemberRecord): KeyOwner {
  const account = { id, name, role, created_at: added_at };
  return type === "user" ? { type, user: { ...account, email: email ?? "" } } : { type, service_account: account };
}
