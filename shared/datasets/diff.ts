/** What became of a dataset from one version to another, row by row. */
import type { DatasetRow } from "./row.ts";

export interface RowChange {
  change: "added" | "removed" | "relabelled";
  id: string;
  text: string;
  /** In the earlier version; null: it was not in it. */
  from: string | null;
  /** In the later one; null: it is no longer in it. */
  to: string | null;
}

/** Removed rows first, then those of the later version in its order. */
export function* diffRows(
  earlier: ReadonlyMap<string, DatasetRow>,
  later: ReadonlyMap<string, DatasetRow>,
): Generator<RowChange> {
  for (const { id, text, label } of earlier.values()) {
    if (!later.has(id)) yield { change: "removed", id, text, from: label, to: null };
  }
  for (const { id, text, label } of later.values()) {
    const before = earlier.get(id);
    if (!before) yield { change: "added", id, text, from: null, to: label };
    else if (before.label !== label) yield { change: "relabelled", id, text, from: before.label, to: label };
  }
}
