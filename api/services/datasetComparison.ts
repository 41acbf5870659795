/** Two versions of a dataset beside each other: both are fetched and held, so a comparison costs what they weigh. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readVersion } from "../../shared/datasets/build.ts";
import { diffRows } from "../../shared/datasets/diff.ts";
import type { DatasetRow } from "../../shared/datasets/row.ts";
import type { DatasetDiff } from "../../shared/schemas/dataset.ts";
import type { Objects } from "../../shared/stores/objects.ts";

type Comparison = Pick<DatasetDiff, "added" | "removed" | "relabelled" | "changes">;
type Stored = { object_key: string };

const mostChanges = 1000;

/** Without an earlier one all rows have come. */
export async function compare(
  objects: Pick<Objects, "download">,
  earlier: Stored | undefined,
  later: Stored,
): Promise<Comparison> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-diff-"));
  const rowsOf = async ({ object_key }: Stored, name: string) => {
    const path = join(directory, name);
    await objects.download(object_key, path);
    const rows = await Array.fromAsync(readVersion(path));
    return new Map(rows.map((row) => [row.id, row]));
  };
  try {
    const before = earlier ? await rowsOf(earlier, "before") : new Map<string, DatasetRow>();
    return counted(diffRows(before, await rowsOf(later, "after")));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function counted(changes: ReturnType<typeof diffRows>): Comparison {
  const found: Comparison = { added: 0, removed: 0, relabelled: 0, changes: [] };
  for (const change of changes) {
    found[change.change]++;
    if (found.changes.length < mostChanges) found.changes.push(change);
  }
  return found;
}
