/** Which split a row belongs to: the same in every version of a dataset, and for a group of rows as a whole. */
import { hash } from "node:crypto";
import { groupsOf } from "./groups.ts";
import type { MergedRow } from "./merge.ts";
import type { DatasetRow, Split } from "./row.ts";

export interface Shares {
  validation: number;
  test: number;
}

export interface AssignOptions {
  shares: Shares;
  /** The same for all versions of a dataset. */
  seed: string;
  /** Of the dataset's version before: rows that are in it stay where they were. */
  earlier: ReadonlyMap<string, Split>;
}

export interface Assigned {
  rows: DatasetRow[];
  /** Rows left out, being near to rows of two splits: on either side they would tell what is on the other. */
  bridging: number;
}

export function assignSplits(rows: readonly MergedRow[], options: AssignOptions): Assigned {
  const { earlier } = options;
  const groups = groupsOf(rows);
  const held = new Map<number, Set<Split>>();
  for (const [number, { id }] of rows.entries()) {
    const split = earlier.get(id);
    if (split) held.set(groups[number]!, (held.get(groups[number]!) ?? new Set()).add(split));
  }
  const splitOf = (number: number): Split | undefined => {
    const own = earlier.get(rows[number]!.id);
    const theirs = held.get(groups[number]!);
    if (own || theirs) return own ?? (theirs!.size === 1 ? [...theirs!][0] : undefined);
    return splitBy(rows[groups[number]!]!.id, options);
  };
  const assigned = rows.flatMap(({ id, text, label, subjects, origins }, number): DatasetRow[] => {
    const split = splitOf(number);
    return split ? [{ id, text, label, split, subjects: [...subjects], origins }] : [];
  });
  return { rows: assigned, bridging: rows.length - assigned.length };
}

/** By the id of the group's first row and nothing else, so that further rows move nobody. */
function splitBy(id: string, { shares, seed }: AssignOptions): Split {
  const place = hash("md5", `${seed}:${id}`, "buffer").readUInt32LE(0) / 2 ** 32;
  if (place < shares.test) return "test";
  return place < shares.test + shares.validation ? "validation" : "train";
}
