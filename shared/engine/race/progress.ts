/** How far a race has come, as a checkpoint keeps it. */
import type { Tensor } from "../dataTypes.ts";
import type { Outcome } from "./decision.ts";
import type { Finished } from "./race.ts";

export interface RaceProgress {
  /** Whoever has come in, without what is kept as tensors. */
  finished: Omit<Finished, "rows" | "logits">[];
  /** Once it is decided; those who came in are then of no more use. */
  outcome?: Outcome;
}

/** The rows and logits of those who came in, by their names. */
export function raceTensors(finished: Iterable<Finished>): Record<string, Tensor> {
  return Object.fromEntries(
    [...finished].flatMap(({ name, rows, logits }) => [
      [`${name}/rows`, { shape: [rows.length], data: rows }],
      [`${name}/logits`, { shape: [rows.length, rows.length && logits.length / rows.length], data: logits }],
    ]),
  );
}

export function raceHead(finished: Iterable<Finished>): RaceProgress {
  return { finished: Array.from(finished, ({ rows: _rows, logits: _logits, ...head }) => head) };
}

export function finishedOf(progress: RaceProgress, tensors: Readonly<Record<string, Tensor>>): Map<string, Finished> {
  return new Map(
    progress.finished.map((head) => {
      // Copies: the file that they are views of is let go.
      const rows = Int32Array.from(tensors[`${head.name}/rows`]!.data as Int32Array);
      const logits = Float32Array.from(tensors[`${head.name}/logits`]!.data as Float32Array);
      return [head.name, { ...head, rows, logits }];
    }),
  );
}
