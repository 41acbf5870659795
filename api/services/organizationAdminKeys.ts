/** The keys that administer an organization. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type {
  AdminApiKey,
  AdminKeyRecord,
  CreateAdminApiKey,
  CreatedAdminApiKey,
} from "../../shared/schemas/adminKey.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor, OrganizationRecord } from "../../shared/schemas/organization.ts";
import type { UserRecord } from "../../shared/schemas/user.ts";
import { adminKeyPrefix, newAdminKey } from "../../shared/stores/adminKeys.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Paging } from "./fineTuningJobs.ts";
import type { KeyService } from "./keys.ts";
import { redacted } from "./organizationKeys.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface AdminKeyService {
  create(actor: Actor, request: CreateAdminApiKey, attempt: Attempt): Promise<CreatedAdminApiKey>;
  list(actor: Actor, paging: Paging & { order: "asc" | "desc" }): Promise<Page<AdminApiKey>>;
  get(actor: Actor, id: string): Promise<AdminApiKey>;
  /** No key revokes itself: so one is always left. */
  delete(actor: Actor, id: string): Promise<void>;
}

export function createAdminKeyService(
  { adminKeys, organizations, users }: Pick<Stores, "adminKeys" | "organizations" | "users">,
  keys: Pick<KeyService, "forgetKey">,
): AdminKeyService {
  const require = async ({ organization_id }: Actor, id: string): Promise<AdminKeyRecord> => {
    const key = isId("admin_api_key", id) ? await adminKeys.get(organization_id, id) : undefined;
    if (!key) throw notFound("admin API key", id);
    return key;
  };
  const organizationOf = async ({ organization_id }: Actor): Promise<OrganizationRecord> => {
    const organization = await organizations.get(organization_id);
    if (!organization) throw new Error(`There is no row of the organization ${organization_id}`);
    return organization;
  };

  const shown = async (key: AdminKeyRecord, organization: OrganizationRecord): Promise<AdminApiKey> => {
    return shownWith(key, organization, key.owner_id ? await users.get(organization.id, key.owner_id) : undefined);
  };

  return {
    async create(actor, { name, expires_in_seconds, user_id }, attempt) {
      const organization = await organizationOf(actor);
      const owner = user_id != null && isId("user", user_id) ? await users.get(organization.id, user_id) : undefined;
      if (user_id != null && !owner) {
        throw new ApiError("invalid_value", `No such user: '${user_id}'.`, { param: "user_id" });
      }
      const expires_at =
        expires_in_seconds == null ? {} : { expires_at: Math.floor(Date.now() / 1000) + expires_in_seconds };
      const fields = { name, organization_id: organization.id, ...expires_at, ...(owner && { owner_id: owner.id }) };
      const { secret, record } = newAdminKey(fields, idFor("admin_api_key", attempt));
      const details = { id: record.id, data: { name } };
      await adminKeys.create(record, [auditWrite(actor, { type: "api_key.created", details })]);
      return { ...(await shown(record, organization)), value: secret };
    },
    async list(actor, { limit, after, order }) {
      const organization = await organizationOf(actor);
      const listing = { limit: limit + 1, descending: order === "desc", ...(after && { after }) };
      const found = await adminKeys.list(organization.id, listing);
      return toPage(await Promise.all(found.map((key) => shown(key, organization))), limit);
    },
    get: async (actor, id) => shown(await require(actor, id), await organizationOf(actor)),
    async delete(actor, id) {
      const key = await require(actor, id);
      if (id === actor.key) {
        throw new ApiError("invalid_state", "An admin key does not delete itself: use another one.", { param: "id" });
      }
      const audit = auditWrite(actor, { type: "api_key.deleted", details: { id } });
      if (!(await adminKeys.delete(key, [audit]))) throw notFound("admin API key", id);
      keys.forgetKey(key);
    },
  };
}

/** `owner` is undefined where it is nobody's, and where whose it was is gone: then it opens nothing. */
function shownWith(key: AdminKeyRecord, organization: OrganizationRecord, owner: UserRecord | undefined): AdminApiKey {
  const { id, name, created_at } = organization;
  return {
    id: key.id,
    object: "organization.admin_api_key",
    name: key.name,
    redacted_value: redacted(adminKeyPrefix, key),
    created_at: key.created_at,
    last_used_at: key.last_used_at ?? null,
    expires_at: key.expires_at ?? null,
    owner: owner
      ? { type: "user", object: "organization.user", ...userOf(owner) }
      : { type: "organization", object: "organization", id, name, role: "owner", created_at },
  };
}

const userOf = ({ id, name, role, added_at }: UserRecord) => ({ id, name, role, created_at: added_at });
