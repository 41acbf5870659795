/** Rows of stored chat completions, and what belongs to each. */
import { type StoredCompletionRecord as Row, StoredCompletionRecord, StoredContent } from "../schemas/chatStored.ts";
import type { Metadata } from "../schemas/metadata.ts";
import type { Objects } from "./objects.ts";
import { createPayloads } from "./payloads.ts";
import type { Table } from "./table.ts";

export interface StoredCompletions {
  create(project: string, content: StoredContent): Promise<void>;
  get(project: string, id: string): Promise<Row | undefined>;
  /** Ordered by creation. `metadata: null` asks for those without. */
  list(project: string, options: StoredListOptions): Promise<Row[]>;
  content(row: Row): Promise<StoredContent>;
  /** False when there is none. */
  setMetadata(project: string, id: string, metadata: Metadata | null): Promise<boolean>;
  /** False when there was none. */
  delete(row: Row): Promise<boolean>;
}

export interface StoredListOptions {
  limit: number;
  after?: string;
  order: "asc" | "desc";
  model?: string;
  metadata?: Record<string, string> | null;
}

const keyOf = (project: string, id: string) => ({ pk: `${project}#chat_completion`, sk: id });
const objectKey = (project: string, id: string) => `${project}/chat_completions/${id}.json`;

export function createStoredCompletions(
  table: Table,
  objects: Pick<Objects, "put" | "get" | "delete">,
): StoredCompletions {
  const payloads = createPayloads(objects);
  return {
    async create(project_id, stored) {
      const { id, model, metadata, created: created_at } = stored.completion;
      const content = await payloads.put(objectKey(project_id, id), stored);
      const row: Row = { id, project_id, created_at, model, metadata: metadata ?? null, content };
      await table.create(keyOf(project_id, id), row);
    },
    async get(project, id) {
      const item = await table.get(keyOf(project, id));
      return item && StoredCompletionRecord.parse(item);
    },
    async list(project, { limit, after, order, model, metadata }) {
      const equals = { ...(model !== undefined && { model }), ...metadataFilter(metadata) };
      const options = { limit, after, descending: order === "desc", equals };
      const items = await table.query(keyOf(project, "").pk, options);
      return items.map((item) => StoredCompletionRecord.parse(item));
    },
    content: async ({ content }) => StoredContent.parse(await payloads.get(content)),
    setMetadata: (project, id, metadata) =>
      table.update(keyOf(project, id), { metadata }, { expression: "attribute_exists(sk)" }),
    async delete({ project_id, id, content }) {
      const was = await table.delete(keyOf(project_id, id));
      if (was && "object_key" in content) await objects.delete(content.object_key);
      return was;
    },
  };
}

function metadataFilter(metadata: Record<string, string> | null | undefined): Record<string, unknown> {
  if (metadata === null) return { metadata: null };
  return Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [`metadata.${key}`, value]));
}
