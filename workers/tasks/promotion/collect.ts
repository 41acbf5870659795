/** The first step of a turn: a version of the recipe's dataset, asked for once and waited for. */
import { unbuilt } from "../../../shared/schemas/built.ts";
import type { DatasetVersionRecord } from "../../../shared/schemas/dataset.ts";
import type { Attempt, Next } from "./task.ts";

/** Seconds between looks at what others are at work on. */
export const lookAgain = 1;
const usualShare = 0.1;

export async function collect(attempt: Attempt): Promise<Next> {
  const { context, promotion } = attempt;
  const { versions } = context.stores.datasets;
  const version = await versions.get(promotion.project_id, promotion.dataset_version);
  if (!version) await ask(attempt);
  if (!version || version.status === "building") return { wait: lookAgain };
  if (version.status === "failed") {
    return { to: "rejected", reason: `The dataset could not be built: ${version.error?.message ?? "unknown"}` };
  }
  const { train, validation, test } = version.rows!;
  const reason = `Version ${version.version} of '${version.dataset}' has ${train} rows to learn from, ${validation} and ${test} to judge by.`;
  return { to: "checking_data", reason };
}

/** The row has the promotion's own id, so that there is one, whoever asks how often. */
async function ask({ context, promotion }: Attempt): Promise<void> {
  const { datasets } = context.stores;
  const { project_id, dataset_version: id, policy } = promotion;
  const { dataset, sources, splits } = policy.recipe;
  for (;;) {
    const earlier = await datasets.get(project_id, dataset);
    const record: DatasetVersionRecord = {
      ...unbuilt(project_id),
      ...{ id, object: "dataset.version", dataset, version: (earlier?.latest_version ?? 0) + 1, sources },
      splits: { validation: splits?.validation ?? usualShare, test: splits?.test ?? usualShare },
      ...{ parent: null, rows: null, labels: null, report: null, digest: null, object_key: null },
    };
    const isAdded = await datasets.add(record, earlier);
    // False where somebody else took the number, or an attempt before this one had asked already.
    if (!isAdded && !(await datasets.versions.get(project_id, id))) continue;
    await context.queue.send("dataset_version", record);
    return;
  }
}
