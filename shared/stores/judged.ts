/** Inferences with the feedback that is in force on them: what data sets are made of. */
import type { EpisodeRecord } from "../schemas/episode.ts";
import type { FeedbackInForce } from "../schemas/inForce.ts";
import type { InferenceRecord } from "../schemas/inference.ts";
import { inForce } from "./feedback.ts";
import { type InferenceFilter, selectInferences } from "./inferenceFilter.ts";
import type { Stores } from "./stores.ts";

export interface Judged {
  inference: InferenceRecord;
  /** On the inference itself; texts and JSON are in the feedback's own row. */
  feedback: FeedbackInForce;
  /** On its episode. */
  episode_feedback: FeedbackInForce;
}

/** `metric` and `has_feedback` look at the inference's own feedback. */
export type JudgedFilter = InferenceFilter;

type Needs = Pick<Stores, "inferences" | "episodes">;

/** Each inference once: first those with feedback of their own, newest first, then those whose episode alone has some. */
export async function* streamJudged(
  { inferences, episodes }: Needs,
  project: string,
  filter: JudgedFilter = {},
): AsyncGenerator<Judged> {
  for await (const inference of selectInferences(inferences, project, { ...filter, has_feedback: true })) {
    const episode = inference.episode_id === null ? undefined : await episodes.get(project, inference.episode_id);
    yield { inference, feedback: inForce(inference), episode_feedback: episode ? inForce(episode) : {} };
  }
  if (filter.has_feedback || filter.metric) return;
  for await (const episode of judgedEpisodes({ episodes }, project, filter)) {
    const others = { ...filter, episode_id: episode.id, has_feedback: false };
    for await (const inference of selectInferences(inferences, project, others)) {
      yield { inference, feedback: {}, episode_feedback: inForce(episode) };
    }
  }
}

async function* judgedEpisodes(
  { episodes }: Pick<Needs, "episodes">,
  project: string,
  { episode_id }: JudgedFilter,
): AsyncGenerator<EpisodeRecord> {
  for await (const episode of episodes.stream(project, { by: { index: "judged", value: "true" }, descending: true })) {
    const isMeant = episode_id === undefined || episode.id === episode_id;
    if (isMeant && Object.keys(inForce(episode)).length) yield episode;
  }
}
