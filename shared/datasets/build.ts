/** Builds a dataset version from its sources: read, merged, split, and written as JSONL, a row a line. */
import { createReadStream } from "node:fs";
import { readJsonLines } from "../data/jsonLines.ts";
import { createLineWriter } from "../data/lineWriter.ts";
import { emptyReport, type ProblemReport, report } from "../data/problems.ts";
import { isProblem } from "../data/row.ts";
import { readRows } from "../data/rows.ts";
import { assignSplits, type Shares } from "./assign.ts";
import { Merge, type MergeReport } from "./merge.ts";
import { type DatasetRow, type SourceRow, type Split, splits } from "./row.ts";

export type BuildSource =
  | { type: "file"; file_id: string; path: string; filename: string }
  | { type: "dataset"; dataset: string; version: number; path: string }
  /** JSONL of `SourceRow`s. */
  | { type: "rows"; path: string };

export interface BuildRequest {
  /** A later one corrects the earlier. */
  sources: BuildSource[];
  /** Rows of the version before, whose splits stay; null: there was none. */
  earlier: string | null;
  shares: Shares;
  seed: string;
  /** Where the rows go. */
  output: string;
}

export interface Build {
  /** Of each source; where any has errors, nothing is written. */
  problems: ProblemReport[];
  merged: MergeReport;
  /** New rows left out, see `assignSplits`. */
  bridging: number;
  rows: Record<Split, number>;
  /** Rows by label. */
  labels: Record<string, number>;
}

/** All texts are held in memory while their likeness is looked for. */
export const mostRows = 200_000;

export async function buildVersion(request: BuildRequest): Promise<Build> {
  const merge = new Merge();
  const problems: ProblemReport[] = [];
  for (const source of request.sources) problems.push(await readers[source.type](source as never, merge));
  const { rows: merged, report: mergeReport } = merge.result();
  const build: Build = {
    problems,
    merged: mergeReport,
    bridging: 0,
    rows: { train: 0, validation: 0, test: 0 },
    labels: {},
  };
  if (problems.some(({ errorCount }) => errorCount > 0)) return build;
  const earlier = new Map<string, Split>();
  if (request.earlier) for await (const { id, split } of readVersion(request.earlier)) earlier.set(id, split);
  const { rows, bridging } = assignSplits(merged, { ...request, earlier });
  const output = createLineWriter(request.output);
  const labels = new Map<string, number>();
  for (const row of rows) {
    build.rows[row.split]++;
    labels.set(row.label, (labels.get(row.label) ?? 0) + 1);
    await output.write(JSON.stringify(row));
  }
  await output.close();
  return { ...build, bridging, labels: Object.fromEntries(labels) };
}

type Reader<Type extends BuildSource["type"]> = (
  source: BuildSource & { type: Type },
  merge: Merge,
) => Promise<ProblemReport>;

const readers: { [Type in BuildSource["type"]]: Reader<Type> } = {
  async file({ file_id, path, filename }, merge) {
    const problems = emptyReport();
    for await (const item of readRows(createReadStream(path), filename)) {
      if (isProblem(item)) report(problems, item);
      else {
        const { text, label, line, subject } = item;
        const origin = { type: "file" as const, file_id, line };
        merge.add({ text, label, origin, ...(subject !== undefined && { subjects: [subject] }) });
        requireRoom(merge);
      }
    }
    return problems;
  },

  async rows({ path }, merge) {
    for await (const row of readJsonLines<SourceRow>(path)) {
      merge.add(row);
      requireRoom(merge);
    }
    return emptyReport();
  },

  async dataset({ dataset, version, path }, merge) {
    for await (const { id, text, label, subjects } of readVersion(path)) {
      merge.add({ text, label, subjects, origin: { type: "dataset", dataset, version, row: id } });
      requireRoom(merge);
    }
    return emptyReport();
  },
};

/** The sources have more texts than a version may. */
export class TooManyRows extends Error {
  override name = "TooManyRows";
}

function requireRoom(merge: Merge): void {
  if (merge.size > mostRows) throw new TooManyRows(`A dataset version has ${mostRows} rows at most.`);
}

/** The rows of a version, in order. */
export function readVersion(path: string): AsyncGenerator<DatasetRow> {
  return readJsonLines(path);
}

/** Of all splits. */
export function rowCount({ rows }: Pick<Build, "rows">): number {
  return splits.reduce((sum, split) => sum + rows[split], 0);
}
