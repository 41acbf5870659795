/** Chat completions that were kept, which are inferences under another name: found by their labels, and labelled anew. */
import { notFound } from "../../shared/errors.ts";
import { isId, sameId } from "../../shared/ids.ts";
import type { ChatCompletion } from "../../shared/schemas/chatCompletion.ts";
import { StoredContent, type StoredMessage } from "../../shared/schemas/chatStored.ts";
import type { InferenceRecord } from "../../shared/schemas/inference.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Metadata } from "../../shared/schemas/metadata.ts";
import type { Project } from "../../shared/schemas/project.ts";
import { take } from "../../shared/stores/indexedRows.ts";
import { selectInferences } from "../../shared/stores/inferenceFilter.ts";
import type { Inferences } from "../../shared/stores/inferences.ts";
import type { FeedbackService } from "./feedback.ts";

export interface StoredListOptions {
  limit: number;
  after?: string | undefined;
  order: "asc" | "desc";
  model?: string | undefined;
  /** Null asks for those without. */
  metadata?: Record<string, string> | null | undefined;
}

export interface StoredCompletionService {
  list(project: Project, options: StoredListOptions): Promise<Page<ChatCompletion>>;
  get(project: Project, id: string): Promise<ChatCompletion>;
  /** What it says of feedback, by `feedback_…`, is feedback. */
  update(project: Project, id: string, metadata: Metadata | null): Promise<ChatCompletion>;
  delete(project: Project, id: string): Promise<void>;
  /** What was said before it, in order; `after` is the id of one of them. */
  messages(
    project: Project,
    id: string,
    options: Omit<StoredListOptions, "model" | "metadata">,
  ): Promise<Page<StoredMessage>>;
}

export function createStoredCompletionService(
  inferences: Inferences,
  feedback: Pick<FeedbackService, "giveLabels">,
): StoredCompletionService {
  const gone = (id: string) => notFound("stored chat completion", id);
  const require = async (project: Project, id: string): Promise<InferenceRecord> => {
    const row = isId("chat_completion", id) ? await inferences.get(project.id, sameId("request", id)) : undefined;
    if (!row?.is_stored) throw gone(id);
    return row;
  };
  const contentOf = async (row: InferenceRecord) => StoredContent.parse(await inferences.read(row));
  const read = async (row: InferenceRecord): Promise<ChatCompletion> => {
    return { ...(await contentOf(row)).output, metadata: row.metadata ?? {} };
  };
  return {
    async list(project, { limit, after, order, model, metadata }) {
      const filter = { is_stored: true, model, metadata };
      const from = after === undefined ? undefined : sameId("request", after);
      const rows = selectInferences(inferences, project.id, filter, { after: from, order, page: limit + 1 });
      const found = await take(rows, limit + 1);
      const page = toPage(
        found.map((row) => ({ ...row, id: sameId("chat_completion", row.id) })),
        limit,
      );
      return { ...page, data: await Promise.all(found.slice(0, limit).map(read)) };
    },
    get: async (project, id) => read(await require(project, id)),
    async update(project, id, metadata) {
      const row = await require(project, id);
      await feedback.giveLabels(project, row, metadata ?? {});
      if (!(await inferences.setMetadata(row, metadata))) throw gone(id);
      return read({ ...row, metadata });
    },
    async delete(project, id) {
      if (!(await inferences.delete(await require(project, id)))) throw gone(id);
    },
    async messages(project, id, { limit, after, order }) {
      const { messages } = (await contentOf(await require(project, id))).input;
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
