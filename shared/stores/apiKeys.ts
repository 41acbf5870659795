/** Rows of the keys that open projects. */
import { newId } from "../ids.ts";
import { ApiKeyRecord } from "../schemas/apiKey.ts";
import { createKeyRows, type KeyRows, newSecret } from "./apiKeyRows.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface ApiKeys extends KeyRows<ApiKeyRecord> {
  /** The old one ends at `old.expires_at`; both or neither. False where it is gone. */
  rotate(old: ApiKeyRecord, next: ApiKeyRecord, also: readonly TransactWrite[]): Promise<boolean>;
}

export const apiKeyPrefix = "sk-millrace-";

/** A new key's row, and its secret, which is to be shown once. */
export function newApiKey(
  fields: Omit<ApiKeyRecord, "id" | "hash" | "hint" | "created_at">,
  id: string = newId("api_key"),
) {
  const { secret, kept } = newSecret(apiKeyPrefix);
  const record: ApiKeyRecord = {
    id,
    ...kept,
    ...fields,
    created_at: Math.floor(Date.now() / 1000),
  };
  return { secret, record };
}

export function createApiKeys(table: Table): ApiKeys {
  const noun = "api_key";
  const rows = createKeyRows(table, { noun, parse: ApiKeyRecord.parse, ownerOf: (row) => row.project_id });
  return {
    ...rows,
    rotate: (old, next, also) => rows.update(old, { expires_at: old.expires_at }, [...rows.creations(next), ...also]),
  };
}
