/** Projects and their keys. A key's row lies in a partition that does not begin with a project: it leads to it. */
import { hash, randomBytes } from "node:crypto";
import { newId } from "../ids.ts";
import { ApiKeyRecord, type InferencePolicy, ProjectRecord } from "../schemas/project.ts";
import type { Table } from "./table.ts";

export interface Projects {
  create(record: ProjectRecord): Promise<boolean>;
  get(id: string): Promise<ProjectRecord | undefined>;
  /** False where there is no such project. */
  update(id: string, changes: Partial<Pick<ProjectRecord, "name" | keyof InferencePolicy>>): Promise<boolean>;
  /** The secret is returned once and stored nowhere. */
  createKey(project: string, name: string): Promise<{ secret: string; record: ApiKeyRecord }>;
  /** By the hash of its secret, see `keyHash`. */
  findKey(hash: string): Promise<ApiKeyRecord | undefined>;
}

/** 256 random bits need no slow hash: there is nothing to guess. */
export const keyHash = (secret: string) => hash("sha256", secret);
const projectKey = (id: string) => ({ pk: `${id}#project`, sk: id });
const apiKeyKey = (hash: string) => ({ pk: `api_key#${hash}`, sk: "api_key" });

export function createProjects(table: Table): Projects {
  return {
    create: (record) => table.create(projectKey(record.id), record),
    async get(id) {
      const item = await table.get(projectKey(id));
      return item && ProjectRecord.parse(item);
    },
    async update(id, changes) {
      if (Object.keys(changes).length === 0) return true;
      return table.update(projectKey(id), changes, { expression: "attribute_exists(pk)" });
    },
    async createKey(project, name) {
      const secret = `sk-millrace-${randomBytes(32).toString("base64url")}`;
      const record: ApiKeyRecord = {
        id: newId("api_key"),
        hash: keyHash(secret),
        hint: secret.slice(-4),
        name,
        project_id: project,
        created_at: Math.floor(Date.now() / 1000),
      };
      await table.create(apiKeyKey(record.hash), record);
      return { secret, record };
    },
    async findKey(hash) {
      const item = await table.get(apiKeyKey(hash));
      return item && ApiKeyRecord.parse(item);
    },
  };
}
