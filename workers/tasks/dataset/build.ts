/** Fetches the sources of a dataset version, builds it on a thread, and stores it by its content. */
import { join } from "node:path";
import { type Build, type BuildSource, rowCount, TooManyRows } from "../../../shared/datasets/build.ts";
import { buildOnThread } from "../../../shared/datasets/buildOnThread.ts";
import { fileDigest } from "../../../shared/fileDigest.ts";
import type { DatasetSourceRef, DatasetVersionRecord } from "../../../shared/schemas/dataset.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { PermanentFailure } from "../../task.ts";
import { fetchInferences } from "./inferences.ts";
import { fetchLabels } from "./labels.ts";
import type { Attempt } from "./task.ts";

export async function build(attempt: Attempt): Promise<Partial<DatasetVersionRecord>> {
  const { context, row: version, lease, directory } = attempt;
  const { stores } = context;
  const sources: BuildSource[] = [];
  for (const [i, source] of version.sources.entries()) {
    sources.push(await fetchers[source.type](attempt, source as never, join(directory, `source-${i}`)));
  }
  const parent = await parentOf(attempt);
  const earlier = parent && join(directory, "earlier");
  if (parent && earlier) await stores.objects.download(parent.object_key!, earlier, parent.digest!);
  const output = join(directory, "rows.jsonl");
  const request = { sources, earlier, shares: version.splits, seed: version.dataset, output };
  const built = await buildOnThread(request, lease.signal).catch(refuseTooMany);
  refuseProblems(version, built);
  // Named by what it holds, so that a second attempt writes the same object, or finds it.
  const object_key = objectKeys.dataset(version.project_id, await fileDigest(output));
  const { digest } = await stores.objects.putFile(object_key, output);
  const { merged, bridging, rows, labels } = built;
  return { rows, labels, digest, object_key, report: { ...merged, bridging }, parent: parent?.version ?? null };
}

/** Errors come from a thread as copies, known by their names. */
function refuseTooMany(error: Error): never {
  if (error.name !== TooManyRows.name) throw error;
  throw new PermanentFailure("too_many_rows", error.message, "sources");
}

type Fetch<Type extends DatasetSourceRef["type"]> = (
  attempt: Attempt,
  source: DatasetSourceRef & { type: Type },
  path: string,
) => Promise<BuildSource>;

const fetchers: { [Type in DatasetSourceRef["type"]]: Fetch<Type> } = {
  async file({ context, row: version }, { file_id }, path) {
    const file = await context.stores.files.get(version.project_id, file_id);
    if (!file)
      throw new PermanentFailure("file_deleted", `The file ${file_id} was deleted before it was read.`, "sources");
    await context.stores.objects.download(file.object_key, path);
    return { type: "file", file_id, path, filename: file.filename };
  },
  inferences: fetchInferences,
  labels: fetchLabels,
  async dataset({ context, row: version }, { dataset, version: number }, path) {
    const found = await context.stores.datasets.version(version.project_id, dataset, number);
    if (!found?.object_key)
      throw new PermanentFailure("not_found", `There is no version ${number} of ${dataset}.`, "sources");
    await context.stores.objects.download(found.object_key, path, found.digest!);
    return { type: "dataset", dataset, version: number, path };
  },
};

/** The version before that is ready, whose rows stay in their splits. */
async function parentOf({ context, row: version }: Attempt): Promise<DatasetVersionRecord | null> {
  const { project_id, dataset, id } = version;
  const page = 50;
  for (let after: string = id; ; ) {
    const found = await context.stores.datasets.versionsOf(project_id, dataset, { limit: page, after });
    const ready = found.find(({ status }) => status === "ready");
    if (ready || found.length < page) return ready ?? null;
    after = found.at(-1)!.id;
  }
}

const mostTold = 20;

function refuseProblems({ sources }: DatasetVersionRecord, built: Build): void {
  const told = built.problems.flatMap(({ errors }, i) => {
    return errors.map(
      ({ line, message, fix }) => `sources[${i}]${line === null ? "" : `, line ${line}`}: ${message} ${fix}`,
    );
  });
  if (told.length) {
    const more = told.length > mostTold ? `\nThe first ${mostTold} of them are listed.` : "";
    throw new PermanentFailure("invalid_source", `${told.slice(0, mostTold).join("\n")}${more}`, "sources");
  }
  if (rowCount(built) > 0) return;
  throw new PermanentFailure("empty_dataset", `None of ${sources.length} sources has a usable row.`, "sources");
}
