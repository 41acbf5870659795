/** Feedback: what clients say of inferences and episodes. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { inferenceIdOf, isId } from "../../shared/ids.ts";
import { createRecent } from "../../shared/recent.ts";
import type { CreateFeedback, Feedback, FeedbackRecord } from "../../shared/schemas/feedback.ts";
import type { InferenceRecord } from "../../shared/schemas/inference.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Metadata } from "../../shared/schemas/metadata.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { FeedbackIndex, GivenFeedback } from "../../shared/stores/feedback.ts";
import { take } from "../../shared/stores/indexedRows.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { builtIn, checkValue, declared, type Judging, readLabel } from "./feedbackValues.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface FeedbackFilter {
  inference_id?: string | undefined;
  episode_id?: string | undefined;
  metric_name?: string | undefined;
}

export interface FeedbackService {
  /** Durable when it returns. With the same key it is the same feedback. */
  create(project: Project, feedback: CreateFeedback, attempt: Attempt): Promise<Feedback>;
  /** Newest first. */
  list(
    project: Project,
    filter: FeedbackFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<Page<Feedback>>;
  /** What new labels `feedback_…` of a stored completion say; those of no known metric are mere labels. */
  giveLabels(project: Project, inference: InferenceRecord, metadata: Metadata): Promise<void>;
  shown(record: FeedbackRecord): Promise<Feedback>;
}

type Target = Pick<GivenFeedback, "level" | "target">;

const labelPrefix = "feedback_";
const fieldOf = { inference: "inference_id", episode: "episode_id" } as const;

export function createFeedbackService({
  feedback,
  metrics,
  inferences,
}: Pick<Stores, "feedback" | "metrics" | "inferences">): FeedbackService {
  const recentKey = (project: Project, name: string) => `${project.id}/${name}`;
  const recent = createRecent((key) => {
    const slash = key.indexOf("/");
    return metrics.get(key.slice(0, slash), key.slice(slash + 1));
  });
  const judgingOf = async (project: Project, name: string): Promise<Judging | undefined> => {
    if (Object.hasOwn(builtIn, name)) return builtIn[name];
    const metric = await recent.get(recentKey(project, name));
    return metric && declared(metric);
  };

  /** After it, nobody deletes the metric. */
  const claimMetric = async (project: Project, { name, isReady }: Judging) => {
    if (isReady) return;
    recent.forget(recentKey(project, name));
    if (!(await metrics.use(project.id, name))) throw notFound("metric", name, "metric_name");
  };

  const give = async (project: Project, given: Omit<GivenFeedback, "project_id">) => {
    const record = await feedback.give({ ...given, project_id: project.id });
    if (!record) throw unknownTarget(given, given.target);
    return record;
  };

  const shown: FeedbackService["shown"] = async (record) => {
    const { id, inference_id, episode_id, metric_name, superseded_by, created_at } = record;
    const known = { id, inference_id, episode_id, metric_name, superseded_by, created_at };
    const value = await feedback.valueOf(record);
    return { ...known, object: "feedback", value, in_force: superseded_by === null };
  };

  return {
    shown,
    async create(project, asked, attempt) {
      const judging = await judgingOf(project, asked.metric_name);
      if (!judging) throw notFound("metric", asked.metric_name, "metric_name");
      checkValue(judging, asked.value);
      const target = targetOf(asked, judging);
      if (asked.inference_id !== undefined && asked.episode_id !== undefined) {
        const inference = await inferences.get(project.id, inferenceIdOf(asked.inference_id) ?? "");
        if (!inference) throw unknownTarget({ level: "inference" }, asked.inference_id);
        if (inference.episode_id !== asked.episode_id) throw anotherEpisode(asked);
      }
      await claimMetric(project, judging);
      const id = attempt.claimed === undefined ? undefined : idFor("feedback", attempt);
      return shown(await give(project, { id, ...target, metric_name: judging.name, value: asked.value }));
    },
    async list(project, filter, { limit, after }) {
      const inference_id = filter.inference_id && (inferenceIdOf(filter.inference_id) ?? filter.inference_id);
      const wanted = Object.entries({ ...filter, inference_id }).filter(([, value]) => value !== undefined);
      const [field, value] = wanted[0] ?? [];
      const index: FeedbackIndex = field === "metric_name" ? "metric" : "target";
      const by = value === undefined ? undefined : { index, value };
      const rows = feedback.stream(project.id, { by, after, descending: true, page: limit + 1 });
      const found = await take(matching(rows, wanted as [keyof FeedbackFilter, string][]), limit + 1);
      const page = toPage(found, limit);
      return { ...page, data: await Promise.all(page.data.map(shown)) };
    },
    async giveLabels(project, inference, metadata) {
      const all = Object.entries(metadata).filter(([key]) => key.startsWith(labelPrefix));
      const given: [Judging, Omit<GivenFeedback, "project_id">][] = [];
      for (const [key, text] of all.filter(([name, value]) => inference.metadata?.[name] !== value)) {
        const judging = await judgingOf(project, key.slice(labelPrefix.length));
        if (!judging) continue;
        const param = `metadata.${key}`;
        const value = readLabel(judging, text, param);
        given.push([judging, { ...targetIn(inference, judging, param), metric_name: judging.name, value }]);
      }
      for (const [judging, each] of given) {
        await claimMetric(project, judging);
        await give(project, each);
      }
    },
  };
}

async function* matching(rows: AsyncIterable<FeedbackRecord>, wanted: readonly [keyof FeedbackFilter, string][]) {
  for await (const row of rows) if (wanted.every(([field, value]) => row[field] === value)) yield row;
}

/** Of the ids given, the one that the metric's level asks for. */
function targetOf(asked: CreateFeedback, { name, levels }: Judging): Target {
  const level = levels.find((each) => asked[fieldOf[each]] !== undefined);
  if (level === undefined) {
    const [wanted] = levels;
    const given =
      asked.inference_id !== undefined ? "inference_id" : asked.episode_id !== undefined ? "episode_id" : null;
    const message = `'${name}' is given on an ${wanted}: it needs '${fieldOf[wanted!]}'.`;
    if (given) throw new ApiError("invalid_value", message, { param: given });
    throw new ApiError("missing_required_parameter", message, { param: fieldOf[wanted!] });
  }
  const id = asked[fieldOf[level]]!;
  const target = level === "inference" ? inferenceIdOf(id) : isId("episode", id) ? id : undefined;
  if (target === undefined) throw unknownTarget({ level }, id);
  return { level, target };
}

/** Of an inference that is known, or of its episode. */
function targetIn({ id, episode_id }: InferenceRecord, { name, levels }: Judging, param: string): Target {
  if (levels.includes("inference")) return { level: "inference", target: id };
  if (episode_id !== null) return { level: "episode", target: episode_id };
  const message = `'${param}': '${name}' is given on an episode, and this completion is of none.`;
  throw new ApiError("invalid_value", message, { param });
}

/** A stranger's is as good as none. */
function unknownTarget({ level }: Pick<Target, "level">, id: string): ApiError {
  const fate = level === "inference" ? "it was not recorded, has expired, or was deleted" : "or it has expired";
  return new ApiError("not_found", `No such ${level} in this project: '${id}'; ${fate}.`, { param: fieldOf[level] });
}

function anotherEpisode({ inference_id, episode_id }: CreateFeedback): ApiError {
  const message = `The inference '${inference_id}' is not of the episode '${episode_id}'.`;
  return new ApiError("invalid_value", message, { param: "episode_id" });
}
