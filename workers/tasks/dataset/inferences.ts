/** Inferences with feedback as rows to learn from: right is what a demonstration says, or an answer that was approved. */
import { createLineWriter } from "../../../shared/data/lineWriter.ts";
import type { BuildSource } from "../../../shared/datasets/build.ts";
import type { SourceRow } from "../../../shared/datasets/row.ts";
import { lessonOf } from "../../../shared/inference/lessons.ts";
import type { DatasetSourceRef } from "../../../shared/schemas/dataset.ts";
import type { InForce } from "../../../shared/schemas/inForce.ts";
import { type Judged, streamJudged } from "../../../shared/stores/judged.ts";
import { throwIfStopped } from "../../lease.ts";
import type { Attempt } from "./task.ts";

type InferenceSource = DatasetSourceRef & { type: "inferences" };

export async function fetchInferences(attempt: Attempt, source: InferenceSource, path: string): Promise<BuildSource> {
  const { context, row: version } = attempt;
  const { type: _type, approved_by, ...filter } = source;
  const output = createLineWriter(path);
  try {
    for await (const judged of streamJudged(context.stores, version.project_id, filter)) {
      throwIfStopped(attempt);
      const row = await rowOf(attempt, judged, approved_by);
      if (row) await output.write(JSON.stringify(row));
    }
    await output.close();
  } finally {
    output.destroy();
  }
  return { type: "rows", path };
}

/** Undefined where nothing says what is right, or nothing was kept of what was asked. */
async function rowOf(
  { context: { stores } }: Attempt,
  { inference, feedback, episode_feedback }: Judged,
  approvedBy: string | undefined,
): Promise<SourceRow | undefined> {
  const approved = approvedBy === undefined ? undefined : (feedback[approvedBy] ?? episode_feedback[approvedBy]);
  const verdict = feedback.demonstration ?? (approved?.value === true ? approved : undefined);
  if (!verdict) return undefined;
  const lesson = lessonOf(inference.endpoint, await stores.inferences.read(inference));
  const label = verdict === feedback.demonstration ? await shown(stores, inference.project_id, verdict) : lesson?.label;
  if (!lesson || !label) return undefined;
  const { id, episode_id } = inference;
  return {
    text: lesson.text,
    label,
    origin: { type: "inference", inference_id: id, feedback_id: verdict.id, metric_name: verdict.metric_name },
    ...(episode_id && { subjects: [episode_id] }),
  };
}

/** The label that a demonstration gives; undefined for JSON, which is no label. */
async function shown({ feedback }: Attempt["context"]["stores"], project: string, { id }: InForce) {
  const found = await feedback.get(project, id);
  const value = found && (await feedback.valueOf(found));
  return value === undefined || typeof value === "object" ? undefined : String(value).trim();
}
