/** Rows of the keys that administer organizations. */
import { newId } from "../ids.ts";
import { AdminKeyRecord } from "../schemas/adminKey.ts";
import { createKeyRows, type KeyRows, newSecret } from "./apiKeyRows.ts";
import type { Table } from "./table.ts";

export type AdminKeys = KeyRows<AdminKeyRecord>;

export const adminKeyPrefix = "sk-admin-millrace-";

/** A new key's row, and its secret, which is to be shown once. */
export function newAdminKey(
  fields: Omit<AdminKeyRecord, "id" | "hash" | "hint" | "created_at">,
  id: string = newId("admin_api_key"),
) {
  const { secret, kept } = newSecret(adminKeyPrefix);
  const created_at = Math.floor(Date.now() / 1000);
  const record: AdminKeyRecord = { id, ...kept, ...fields, created_at };
  return { secret, record };
}

export function createAdminKeys(table: Table): AdminKeys {
  const noun = "admin_key";
  return createKeyRows(table, { noun, parse: AdminKeyRecord.parse, ownerOf: (row) => row.organization_id });
}
