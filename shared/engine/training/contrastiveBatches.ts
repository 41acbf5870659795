/** Which rows meet in a contrastive step: a few of each of some classes, drawn as they are needed. */
import type { Tensor } from "../dataTypes.ts";
import { mixSeeds, permutation } from "../random.ts";

export interface ContrastiveBatches {
  /** Rows of a step, of most classes two or more; a pure function of the seed and the step. */
  rowsOf(step: number): Int32Array;
}

const [mostRows, mostClasses] = [64, 24];

/** No list of pairs is ever made: memory is that of the rows. */
export function contrastiveBatches(labels: Int32Array, seed: number): ContrastiveBatches {
  const byLabel = [...Map.groupBy(labels.keys(), (row) => labels[row]!).values()];
  const classes = Math.min(byLabel.length, mostClasses);
  const perClass = Math.max(2, Math.floor(mostRows / classes));
  return {
    rowsOf(step) {
      const key = mixSeeds(seed, step, 0x70616972);
      const chosen = permutation(byLabel.length, key).subarray(0, classes);
      return Int32Array.from(
        Array.from(chosen, (label) => {
          const own = byLabel[label]!;
          return Array.from(permutation(own.length, key, 1 + label).subarray(0, perClass), (place) => own[place]!);
        }).flat(),
      );
    },
  };
}

const never = -1e9;

/** The feeds of `supervisedContrastive` for rows of these labels. */
export function contrastivePairs(labels: Int32Array): Record<"hidden" | "partners", Tensor> {
  const rows = labels.length;
  const shape = [rows, rows];
  const hidden = new Float32Array(rows * rows);
  const partners = new Float32Array(rows * rows);
  const counts = Map.groupBy(labels, (label) => label);
  const paired = labels.filter((label) => counts.get(label)!.length > 1).length;
  for (let i = 0; i < rows; i++) {
    hidden[i * rows + i] = never;
    const others = counts.get(labels[i]!)!.length - 1;
    for (let j = 0; j < rows; j++) {
      if (i !== j && labels[i] === labels[j]) partners[i * rows + j] = 1 / (others * paired);
    }
  }
  return { hidden: { shape, data: hidden }, partners: { shape, data: partners } };
}
