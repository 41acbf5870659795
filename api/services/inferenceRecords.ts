/** Recorded inferences: found, read with what is said of them, and deleted. */
import { notFound } from "../../shared/errors.ts";
import { inferenceIdOf } from "../../shared/ids.ts";
import type { Inference, InferenceRecord, InferenceWithContent } from "../../shared/schemas/inference.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import { inForce } from "../../shared/stores/feedback.ts";
import { take } from "../../shared/stores/indexedRows.ts";
import { type InferenceFilter, selectInferences } from "../../shared/stores/inferenceFilter.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { FeedbackService } from "./feedback.ts";

export interface InferenceRecordService {
  /** Newest first. */
  list(
    project: Project,
    filter: InferenceFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<Page<Inference>>;
  /** By its own id or that of its answer. */
  get(project: Project, id: string): Promise<InferenceWithContent>;
  /** With all that was said in it and of it. */
  delete(project: Project, id: string): Promise<void>;
}

export function createInferenceRecordService(
  { inferences, feedback }: Pick<Stores, "inferences" | "feedback">,
  { shown: shownFeedback }: Pick<FeedbackService, "shown">,
): InferenceRecordService {
  const require = async (project: Project, id: string): Promise<InferenceRecord> => {
    const own = inferenceIdOf(id);
    const row = own === undefined ? undefined : await inferences.get(project.id, own);
    if (!row) throw notFound("inference", id);
    return row;
  };
  return {
    async list(project, filter, { limit, after }) {
      const rows = selectInferences(inferences, project.id, filter, { after, page: limit + 1 });
      const page = toPage(await take(rows, limit + 1), limit);
      return { ...page, data: page.data.map(shown) };
    },
    async get(project, id) {
      const row = await require(project, id);
      const ids = Object.values(inForce(row)).map((entry) => entry.id);
      const [said, given] = await Promise.all([
        inferences.read(row) as Promise<Pick<InferenceWithContent, "input" | "output">>,
        feedback.getMany(project.id, ids.sort()),
      ]);
      return { ...shown(row), ...said, feedback: await Promise.all(given.map(shownFeedback)) };
    },
    async delete(project, id) {
      if (!(await inferences.delete(await require(project, id)))) throw notFound("inference", id);
    },
  };
}

function shown(row: InferenceRecord): Inference {
  const { project_id, unit, content, feedback, feedback_revision, ...fields } = row;
  const values = Object.values(inForce(row)).flatMap(({ metric_name, value }) =>
    value === null ? [] : [[metric_name, value] as const],
  );
  return { ...fields, object: "inference", metrics: Object.fromEntries(values) };
}
