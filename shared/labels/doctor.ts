/** The label doctor: which labels of a set are probably wrong, by what the other rows say of each. */
import { findLabelIssues } from "../engine/race/confidentLearning.ts";
import { outOfFold } from "./outOfFold.ts";
import { highest } from "./strategies.ts";

export interface Examined {
  readonly texts: readonly string[];
  readonly labels: readonly string[];
}

export interface Suspect {
  /** Place among the rows. */
  row: number;
  given: string;
  suggested: string;
  /** Of the given label and of the suggested one, by rows that are not this one. */
  given_probability: number;
  suggested_probability: number;
}

export interface Examination {
  /** Rows whose label is probably wrong, the surest first. */
  suspects: Suspect[];
  /** Estimated share of wrong labels. */
  noise: number;
  /** Of the rows, those that n-grams of the others give their own label. */
  agreement: number;
  /** The labels' names, and what was found of every row: row-major [rows, labels]. */
  names: string[];
  probabilities: Float32Array;
}

/**
 * How many are suspect is what confident learning estimates; which, the probability of the given label alone. Confident
 * learning's own choice, by the lead of another label, takes near labels that texts between them have for wrong ones: see the README.
 */
export function examine({ texts, labels }: Examined, { seed = 1 }: { seed?: number } = {}): Examination {
  const names = [...new Set(labels)].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const given = Int32Array.from(labels, (label) => places.get(label)!);
  const classes = names.length;
  const probabilities = outOfFold({ texts, labels: given, classes }, { seed });
  const issues = findLabelIssues({ probabilities, labels: given, classes });
  const best = given.map((_, row) => likeliest(probabilities.subarray(row * classes, (row + 1) * classes)));
  const doubt = Float64Array.from(given, (label, row) =>
    best[row] === label ? Number.NEGATIVE_INFINITY : -probabilities[row * classes + label]!,
  );
  const suspects = highest(doubt, issues.rows.length).filter((row) => best[row] !== given[row]);
  return {
    suspects: suspects.map((row) => ({
      row,
      given: labels[row]!,
      suggested: names[best[row]!]!,
      given_probability: probabilities[row * classes + given[row]!]!,
      suggested_probability: probabilities[row * classes + best[row]!]!,
    })),
    noise: issues.noise,
    agreement: best.reduce((sum, label, row) => sum + Number(label === given[row]), 0) / Math.max(labels.length, 1),
    names,
    probabilities,
  };
}

function likeliest(probabilities: Float32Array): number {
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if (probabilities[k]! > probabilities[best]!) best = k;
  return best;
}
