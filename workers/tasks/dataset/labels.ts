/** What labellers said as rows to learn from: the label that the source's rule makes of theirs, with all who gave it. */
import { createLineWriter } from "../../../shared/data/lineWriter.ts";
import type { BuildSource } from "../../../shared/datasets/build.ts";
import type { SourceRow } from "../../../shared/datasets/row.ts";
import { labelsIn, verdictRules } from "../../../shared/labels/verdict.ts";
import type { DatasetSourceRef } from "../../../shared/schemas/dataset.ts";
import type { LabelItemRecord } from "../../../shared/schemas/label.ts";
import { throwIfStopped } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import { textOf } from "../label/candidates.ts";
import type { Attempt } from "./task.ts";

type LabelSource = DatasetSourceRef & { type: "labels" };

export async function fetchLabels(attempt: Attempt, source: LabelSource, path: string): Promise<BuildSource> {
  const { labelQueues, labelItems } = attempt.context.stores;
  const queue = await labelQueues.get(attempt.row.project_id, source.queue_id);
  if (!queue) throw new PermanentFailure("not_found", `There is no label queue ${source.queue_id}.`, "sources");
  const output = createLineWriter(path);
  try {
    for (const item of await labelItems.list(queue, { limit: queue.items ?? 0 })) {
      throwIfStopped(attempt);
      const row = await rowOf(attempt, source, item);
      if (row) await output.write(JSON.stringify(row));
    }
    await output.close();
  } finally {
    output.destroy();
  }
  return { type: "rows", path };
}

/** Undefined where too few gave a label, they do not agree as far as the rule asks, or the text is gone. */
async function rowOf(
  { context: { stores } }: Attempt,
  { queue_id, rule = "majority", min_labels = 1 }: LabelSource,
  item: LabelItemRecord,
): Promise<SourceRow | undefined> {
  const given = labelsIn(item.answers);
  const label = given.length < min_labels ? undefined : verdictRules[rule](given.map((each) => each.label));
  const text = label === undefined ? null : await textOf(stores.inferences, item);
  if (label === undefined || text === null) return undefined;
  const label_ids = given.filter((each) => each.label === label).map(({ id }) => id);
  return { text, label, origin: { type: "labels", queue_id, item_id: item.id, label_ids }, subjects: item.subjects };
}
