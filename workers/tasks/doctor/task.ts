/** The task behind a message for the label doctor: a dataset version's labels, each by what the other rows say of it. */
import { join } from "node:path";
import { readVersion } from "../../../shared/datasets/build.ts";
import type { DatasetRow } from "../../../shared/datasets/row.ts";
import { examineOnThread } from "../../../shared/labels/onThread.ts";
import type { Diagnosis, LabelDoctorRecord } from "../../../shared/schemas/labelDoctor.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { createPayloads } from "../../../shared/stores/payloads.ts";
import { PermanentFailure, type Task } from "../../task.ts";
import { type Building, builtTask } from "../built.ts";
import type { WorkerContext } from "../context.ts";
import { mostRows } from "../label/candidates.ts";

const mostTold = 1000;
const longestTold = 300;

export function labelDoctorTask(context: WorkerContext): Task {
  return builtTask(context, { rows: context.stores.labelDoctors, build });
}

async function build(building: Building<LabelDoctorRecord>): Promise<Partial<LabelDoctorRecord>> {
  const { context, row: report, lease, directory } = building;
  const { datasets, objects } = context.stores;
  const version = await datasets.version(report.project_id, report.dataset, report.version);
  if (!version?.object_key) throw new PermanentFailure("not_found", "The version is gone.", "version");
  const path = join(directory, "rows.jsonl");
  await objects.download(version.object_key, path, version.digest!);
  const rows = await Array.fromAsync(readVersion(path));
  if (rows.length > mostRows) {
    throw new PermanentFailure("too_many_rows", `The label doctor looks at ${mostRows} rows at most.`, "version");
  }
  const texts = rows.map(({ text }) => text);
  const found = await examineOnThread({ texts, labels: rows.map(({ label }) => label) }, lease.signal);
  const result = diagnosisOf(rows, found);
  const key = objectKeys.labelDoctor(report.project_id, report.id);
  return { result: await createPayloads(objects).put(key, result) };
}

function diagnosisOf(
  rows: readonly DatasetRow[],
  { suspects, noise, agreement }: Awaited<ReturnType<typeof examineOnThread>>,
): Diagnosis {
  return {
    rows: rows.length,
    suspected: suspects.length,
    ...{ noise, agreement },
    suspects: suspects.slice(0, mostTold).map(({ row, ...suspect }) => {
      const { id, text } = rows[row]!;
      return { row: id, line: row + 1, text: text.slice(0, longestTold), ...suspect };
    }),
  };
}
