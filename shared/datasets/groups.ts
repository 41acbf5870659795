/** Rows that must stay on one side of a split: of one subject or episode, or nearly the same text. */
import { findRepeats } from "../engine/pretraining/repeats.ts";
import type { MergedRow } from "./merge.ts";

/** By row number, the number of its group's first row. */
export function groupsOf(rows: readonly MergedRow[]): Int32Array {
  const parents = Int32Array.from(rows.keys());
  const join = (a: number, b: number) => {
    const [one, other] = [rootOf(parents, a), rootOf(parents, b)];
    parents[Math.max(one, other)] = Math.min(one, other);
  };
  const firsts = new Map<string, number>();
  for (const [number, { subjects }] of rows.entries()) {
    for (const subject of subjects) {
      const first = firsts.get(subject);
      if (first === undefined) firsts.set(subject, number);
      else join(first, number);
    }
  }
  for (const [number, first] of findRepeats(rows.map(({ text }) => text)).drop) join(first, number);
  return parents.map((_, number) => rootOf(parents, number));
}

function rootOf(parents: Int32Array, number: number): number {
  let at = number;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at]!]!;
    at = parents[at]!;
  }
  return at;
}
