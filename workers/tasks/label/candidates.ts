/** The rows that a queue chooses from, with what is known of each. */
import { join } from "node:path";
import { readVersion } from "../../../shared/datasets/build.ts";
import { lessonOf } from "../../../shared/inference/lessons.ts";
import type { Candidate, Weighted } from "../../../shared/labels/rank.ts";
import { labelsIn } from "../../../shared/labels/verdict.ts";
import { Decision } from "../../../shared/schemas/decision.ts";
import type { InferenceRecord } from "../../../shared/schemas/inference.ts";
import type { ItemOrigin, LabelItemRecord } from "../../../shared/schemas/label.ts";
import type { LabelQueueRecord, LabelRows } from "../../../shared/schemas/labelQueue.ts";
import { inForce } from "../../../shared/stores/feedback.ts";
import { selectInferences } from "../../../shared/stores/inferenceFilter.ts";
import { throwIfStopped } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import type { Building } from "../built.ts";
import { contradictionIn, directionsOf } from "./contradiction.ts";

export interface Found {
  candidate: Candidate;
  origin: ItemOrigin;
  subjects: string[];
}

type Attempt = Building<LabelQueueRecord>;
type Gather<Type extends LabelRows["type"]> = (
  attempt: Attempt,
  source: LabelRows & { type: Type },
) => Promise<Found[]>;

/** Inferences are read one by one, rows of a version at once. */
const mostInferences = 5000;
export const mostRows = 50_000;
/** Characters: longer ones do not fit into an item's row, and nobody would read them. */
const longestText = 30_000;

export function candidatesOf(attempt: Attempt): Promise<Found[]> {
  const { source } = attempt.row;
  return gatherers[source.type](attempt, source as never);
}

const gatherers: { [Type in LabelRows["type"]]: Gather<Type> } = {
  async inferences(attempt, { type: _type, ...filter }) {
    const { inferences, metrics } = attempt.context.stores;
    const { project_id } = attempt.row;
    const directions = await directionsOf(metrics, project_id);
    const found = new Map<string, Found>();
    let looked = 0;
    for await (const inference of selectInferences(inferences, project_id, filter)) {
      throwIfStopped(attempt);
      if (looked++ >= mostInferences) break;
      const said = await inferences.read(inference);
      const lesson = lessonOf(inference.endpoint, said);
      // The newest of those that asked the same comes first.
      if (!lesson || lesson.text.length > longestText || found.has(lesson.text)) continue;
      const answer = weightsIn(inference, said.output);
      const contradiction = contradictionIn(inForce(inference), directions);
      const candidate = { text: lesson.text, given: lesson.label ?? null, ...(answer && { answer }) };
      found.set(lesson.text, {
        candidate: isByFeedback(attempt.row) ? { ...candidate, contradiction } : candidate,
        origin: { type: "inference", inference_id: inference.id },
        subjects: inference.episode_id === null ? [] : [inference.episode_id],
      });
    }
    return [...found.values()];
  },

  async dataset({ context, row, directory }, { dataset, version }) {
    const found = await context.stores.datasets.version(row.project_id, dataset, version);
    if (!found?.object_key)
      throw new PermanentFailure("not_found", `There is no version ${version} of ${dataset}.`, "source");
    const path = join(directory, "rows.jsonl");
    await context.stores.objects.download(found.object_key, path, found.digest!);
    const rows: Found[] = [];
    let line = 0;
    for await (const { id, text, label, subjects } of readVersion(path)) {
      line++;
      if (line > mostRows)
        throw new PermanentFailure("too_many_rows", `A queue chooses from ${mostRows} rows at most.`, "source");
      if (text.length > longestText) continue;
      const origin = { type: "dataset" as const, dataset, version, row: id, line };
      rows.push({ candidate: { text, given: label }, origin, subjects });
    }
    return rows;
  },

  async labels({ context, row }, { queue_id }) {
    const { labelQueues, labelItems, inferences } = context.stores;
    const queue = await labelQueues.get(row.project_id, queue_id);
    const items = queue ? await labelItems.list(queue, { limit: queue.items ?? 0 }) : [];
    const found: Found[] = [];
    for (const item of items) {
      const text = await textOf(inferences, item);
      const votes = labelsIn(item.answers).map(({ label }) => label);
      const { given, origin, subjects } = item;
      if (text !== null) found.push({ candidate: { text, given, votes }, origin, subjects });
    }
    return found;
  },
};

const isByFeedback = ({ strategy, model }: LabelQueueRecord) => strategy === "disagreement" && model === null;

/** An item's text; null where its inference is gone. */
export async function textOf(
  inferences: Attempt["context"]["stores"]["inferences"],
  { text, origin, project_id }: Pick<LabelItemRecord, "text" | "origin" | "project_id">,
): Promise<string | null> {
  if (origin.type !== "inference") return text;
  const inference = await inferences.get(project_id, origin.inference_id);
  return (inference && lessonOf(inference.endpoint, await inferences.read(inference))?.text) ?? null;
}

const Answers = Decision.pick({ answers: true }).loose();

/** Of the choice that it made; none of a refusal, which is as unsure as can be; undefined where it gave no probabilities. */
function weightsIn({ endpoint }: InferenceRecord, output: unknown): Weighted[] | undefined {
  const answers = endpoint === "/v1/decisions" ? Answers.safeParse(output).data?.answers : undefined;
  const choice = answers?.find(({ type }) => type === "choice");
  if (choice?.type === "choice") {
    return choice.probabilities.map(({ value, probability }) => ({ label: String(value), probability }));
  }
  return answers?.some(({ type }) => type === "refusal") ? [] : undefined;
}
