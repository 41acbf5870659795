/** Rows of several sources as one set: each text once, with what the last source says of it. */
import { type RowOrigin, rowId, type SourceRow } from "./row.ts";

export interface MergedRow {
  id: string;
  text: string;
  label: string;
  origins: RowOrigin[];
  subjects: ReadonlySet<string>;
}

export interface MergeReport {
  /** Rows read. */
  read: number;
  /** Of which said again what an earlier one had said. */
  repeats: number;
  /** Of which gave a text another label than an earlier one, which counts no longer. */
  relabelled: number;
}

export interface Merged {
  /** In the order of their texts' first appearance. */
  rows: MergedRow[];
  report: MergeReport;
}

/** In the order of the sources: a later one corrects the earlier. */
export class Merge {
  readonly #rows = new Map<string, MergedRow & { subjects: Set<string> }>();
  readonly #report: MergeReport = { read: 0, repeats: 0, relabelled: 0 };

  /** Texts so far. */
  get size(): number {
    return this.#rows.size;
  }

  add({ text, label, origin, subjects = [] }: SourceRow): void {
    this.#report.read++;
    const id = rowId(text);
    const earlier = this.#rows.get(id);
    const row = earlier ?? { id, text, label, origins: [], subjects: new Set<string>() };
    for (const subject of subjects) row.subjects.add(subject);
    row.origins.push(origin);
    if (!earlier) this.#rows.set(id, row);
    else if (earlier.label === label) this.#report.repeats++;
    else {
      this.#report.relabelled++;
      row.label = label;
    }
  }

  result(): Merged {
    return { rows: [...this.#rows.values()], report: { ...this.#report } };
  }
}
