/** The key under which an organization's content lies sealed: an owner rotates it, and deletes it for good. */
import type { OrganizationKeys } from "../../shared/encryption/organizationKeys.ts";
import type { Sealing } from "../../shared/encryption/sealing.ts";
import { ApiError } from "../../shared/errors.ts";
import type { AuditedType } from "../../shared/schemas/auditLog.ts";
import type { EncryptionKey, EncryptionKeyRecord } from "../../shared/schemas/encryptionKey.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";

export interface EncryptionKeyService {
  get(actor: Actor): Promise<EncryptionKey>;
  /** A new version for what is new; after a deletion, a key again. */
  rotate(actor: Actor): Promise<EncryptionKey>;
  /** `confirmation` is the organization's id. */
  delete(actor: Actor, confirmation: string | undefined): Promise<EncryptionKey>;
}

export function createEncryptionKeyService(sealing: Pick<Sealing, "keys"> | undefined): EncryptionKeyService {
  const requireKeys = (): OrganizationKeys => {
    if (sealing) return sealing.keys;
    throw new ApiError("invalid_state", "This deployment seals nothing: MILLRACE_ENCRYPTION_KEYS is not set.");
  };
  const told = (actor: Actor, type: AuditedType) => (version: number) => [
    auditWrite(actor, { type, details: { id: actor.organization_id, data: { version } } }),
  ];
  return {
    get: async ({ organization_id }) => (sealing ? shown(await sealing.keys.get(organization_id)) : shownAs("off")),
    async rotate(actor) {
      return shown(await requireKeys().rotate(actor.organization_id, told(actor, "encryption_key.rotated")));
    },
    async delete(actor, confirmation) {
      const keys = requireKeys();
      if (confirmation !== actor.organization_id) {
        const message = `Deleting the key cannot be undone: confirm it with the organization's id, '${actor.organization_id}'.`;
        throw new ApiError("invalid_value", message, { param: "confirmation" });
      }
      const deleted = await keys.delete(actor.organization_id, told(actor, "encryption_key.deleted"));
      if (!deleted) throw new ApiError("not_found", "The organization has no encryption key yet.");
      // What fails here the sweeper does; the key is out of use already.
      await keys.destroy(deleted).catch(() => {});
      return shown(deleted);
    },
  };
}

const shownAs = (status: "off" | "none"): EncryptionKey => ({
  ...{ object: "organization.encryption_key", status, version: null, created_at: null, deleted_at: null },
});

function shown(record: EncryptionKeyRecord | undefined): EncryptionKey {
  const latest = record?.versions.at(-1);
  if (!record || !latest) return shownAs("none");
  const isActive = latest.wrapped !== null;
  return {
    object: "organization.encryption_key",
    status: isActive ? "active" : "deleted",
    version: isActive ? latest.version : null,
    created_at: isActive ? latest.created_at : null,
    deleted_at: record.deleted_at,
  };
}
