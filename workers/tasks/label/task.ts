/** The task behind a label queue's message: looks at the rows, and writes down in which order people should. */

import { rankOnThread } from "../../../shared/labels/onThread.ts";
import type { LabelItemRecord } from "../../../shared/schemas/label.ts";
import type { LabelQueueRecord } from "../../../shared/schemas/labelQueue.ts";
import { itemId } from "../../../shared/stores/labelItems.ts";
import { throwIfStopped } from "../../lease.ts";
import { PermanentFailure, type Task } from "../../task.ts";
import { type Building, builtTask } from "../built.ts";
import type { WorkerContext } from "../context.ts";
import { candidatesOf, type Found } from "./candidates.ts";
import { withOpinions } from "./opinions.ts";

export function labelQueueTask(context: WorkerContext): Task {
  return builtTask(context, { rows: context.stores.labelQueues, build });
}

async function build(building: Building<LabelQueueRecord>): Promise<Partial<LabelQueueRecord>> {
  const { context, row: queue, lease } = building;
  const found = await candidatesOf(building);
  if (found.length === 0) {
    throw new PermanentFailure("empty_source", "The source has no row with a text that could be labelled.", "source");
  }
  await withOpinions(building, found);
  const { strategy, size } = queue;
  const candidates = found.map(({ candidate }) => candidate);
  const ranked = await rankOnThread({ strategy, candidates, size }, lease.signal);
  throwIfStopped(building);
  const items = ranked.map(({ row, score, suggestions }, place) =>
    itemOf(queue, found[row]!, { place, score, suggestions }),
  );
  await context.stores.labelItems.putAll(items);
  return { candidates: found.length, items: items.length };
}

function itemOf(
  { id, project_id, overlap }: LabelQueueRecord,
  { candidate, origin, subjects }: Found,
  ranked: Pick<LabelItemRecord, "place" | "score" | "suggestions">,
): LabelItemRecord {
  return {
    id: itemId(id, ranked.place),
    queue_id: id,
    project_id,
    ...ranked,
    ...{ origin, subjects, overlap },
    given: candidate.given,
    text: origin.type === "inference" ? null : candidate.text,
    ...{ state: "open", answers: {}, leases: {}, revision: 0 },
  };
}
