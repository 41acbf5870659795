/** Chat completions that were kept: found again by their labels, and labelled anew. */
import { notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type { ChatCompletion } from "../../shared/schemas/chatCompletion.ts";
import type { StoredCompletionRecord, StoredMessage } from "../../shared/schemas/chatStored.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Metadata } from "../../shared/schemas/metadata.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { StoredCompletions, StoredListOptions } from "../../shared/stores/storedCompletions.ts";

export interface StoredCompletionService {
  list(project: Project, options: StoredListOptions): Promise<Page<ChatCompletion>>;
  get(project: Project, id: string): Promise<ChatCompletion>;
  update(project: Project, id: string, metadata: Metadata | null): Promise<ChatCompletion>;
  delete(project: Project, id: string): Promise<void>;
  /** What was said before it, in order; `after` is the id of one of them. */
  messages(
    project: Project,
    id: string,
    options: Omit<StoredListOptions, "model" | "metadata">,
  ): Promise<Page<StoredMessage>>;
}

export function createStoredCompletionService(stored: StoredCompletions): StoredCompletionService {
  const require = async (project: Project, id: string): Promise<StoredCompletionRecord> => {
    const row = isId("chat_completion", id) ? await stored.get(project.id, id) : undefined;
    if (!row) throw notFound("stored chat completion", id);
    return row;
  };
  const read = async (row: StoredCompletionRecord): Promise<ChatCompletion> => {
    const { completion } = await stored.content(row);
    return { ...completion, metadata: row.metadata ?? {} };
  };
  return {
    async list(project, { limit, ...options }) {
      const rows = await stored.list(project.id, { limit: limit + 1, ...options });
      const page = toPage(rows, limit);
      return { ...page, data: await Promise.all(page.data.map(read)) };
    },
    get: async (project, id) => read(await require(project, id)),
    async update(project, id, metadata) {
      const row = await require(project, id);
      if (!(await stored.setMetadata(project.id, id, metadata))) throw notFound("stored chat completion", id);
      return read({ ...row, metadata });
    },
    async delete(project, id) {
      if (!(await stored.delete(await require(project, id)))) throw notFound("stored chat completion", id);
    },
    async messages(project, id, { limit, after, order }) {
      const { messages } = await stored.content(await require(project, id));
      const all = messages.map(({ role, content, name = null, refusal = null }, i): StoredMessage => {
        const isText = !Array.isArray(content);
        return {
          id: `${id}-${i}`,
          role,
          content: isText ? content : null,
          content_parts: isText ? null : content,
          name,
          refusal,
        };
      });
      const ordered = order === "asc" ? all : all.toReversed();
      const from = after === undefined ? 0 : ordered.findIndex((message) => message.id === after) + 1;
      return toPage(ordered.slice(from, from + limit + 1), limit);
    },
  };
}
