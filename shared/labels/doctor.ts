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
  /** From 0 on: what the order is by. */
  doubt: number;
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

/** Below it, one probability is as good as another. */
const leastProbability = 1e-9;

/** The odds of the suggested label to the given one, as a logarithm: what else was tried is in the README. */
const doubtOf = (given: number, suggested: number) => logOf(suggested) - logOf(given);
const logOf = (probability: number) => Math.log(Math.max(probability, leastProbability));

/** How many are suspect is what confident learning estimates; which, the doubt. */
export function examine({ texts, labels }: Examined, { seed = 1 }: { seed?: number } = {}): Examination {
  const names = [...new Set(labels)].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const given = Int32Array.from(labels, (label) => places.get(label)!);
  const classes = names.length;
  const probabilities = outOfFold({ texts, labels: given, classes }, { seed });
  const issues = findLabelIssues({ probabilities, labels: given, classes });
  const found = labels.flatMap((label, row): Suspect[] => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    const best = likeliest(own);
    if (best === given[row]) return [];
    const [given_probability, suggested_probability] = [own[given[row]!]!, own[best]!];
    const doubt = doubtOf(given_probability, suggested_probability);
    return [{ row, given: label, suggested: names[best]!, given_probability, suggested_probability, doubt }];
  });
  const doubts = found.map(({ doubt }) => doubt);
  return {
    suspects: highest(doubts, issues.rows.length).map((place) => found[place]!),
    noise: issues.noise,
    agreement: 1 - found.length / Math.max(labels.length, 1),
    names,
    probabilities,
  };
}

function likeliest(probabilities: Float32Array): number {
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if (probabilities[k]! > probabilities[best]!) best = k;
  return best;
}
