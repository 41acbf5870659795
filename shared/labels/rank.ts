/** A queue's order: each strategy from what is known of the rows to the rows to label, first things first. */
import { examine } from "./doctor.ts";
import { hashedVector } from "./hashedVectors.ts";
import { outOfFold } from "./outOfFold.ts";
import { disagreementOf, highest, kCentres, uncertaintyOf, voteDisagreement } from "./strategies.ts";

/** A label and its probability. */
export interface Weighted {
  label: string;
  probability: number;
}

export interface Candidate {
  text: string;
  /** The row's label, or a model's answer; null: neither is known. */
  given: string | null;
  /** What a model made of it; none of a refusal; undefined: nobody was asked. */
  answer?: Weighted[];
  /** What the model that is compared made of it. */
  other?: Weighted[];
  /** What labellers said. */
  votes?: string[];
  /** The share of feedback that contradicts the answer. */
  contradiction?: number;
  vector?: Float32Array;
}

export interface RankRequest {
  strategy: keyof typeof rules;
  candidates: Candidate[];
  size: number;
}

export interface Ranked {
  /** Place among the candidates. */
  row: number;
  score: number | null;
  /** The likeliest first. */
  suggestions: Weighted[];
}

const mostSuggestions = 5;

export function rank({ strategy, candidates, size }: RankRequest): Ranked[] {
  return rules[strategy](candidates, size);
}

type Rule = (candidates: readonly Candidate[], size: number) => Ranked[];

const rules = {
  uncertainty(candidates, size) {
    const asked = candidates.some(({ answer }) => answer) ? candidates : withOthersOpinion(candidates);
    return byScore(asked, size, ({ answer }) => answer && uncertaintyOf(answer.map(({ probability }) => probability)));
  },

  disagreement(candidates, size) {
    return byScore(candidates, size, differenceOf).filter(({ score }) => score! > 0);
  },

  diversity(candidates, size) {
    const vectors = candidates.map(({ vector, text }) => vector ?? hashedVector(text));
    return kCentres(vectors, size).map((row) => ({
      row,
      score: null,
      suggestions: likeliest(candidates[row]!.answer),
    }));
  },

  suspected_error(candidates, size) {
    const rows = [...candidates.keys()].filter((row) => candidates[row]!.given !== null);
    const texts = rows.map((row) => candidates[row]!.text);
    const { suspects } = examine({ texts, labels: rows.map((row) => candidates[row]!.given!) });
    return suspects
      .slice(0, size)
      .map(({ row, suggested, suggested_probability, given, given_probability, doubt }) => ({
        row: rows[row]!,
        score: doubt,
        suggestions: [
          { label: suggested, probability: suggested_probability },
          { label: given, probability: given_probability },
        ],
      }));
  },
} satisfies Record<string, Rule>;

function byScore(
  candidates: readonly Candidate[],
  size: number,
  scoreOf: (candidate: Candidate) => number | undefined,
): Ranked[] {
  const scored = candidates.flatMap((candidate, row) => {
    const score = scoreOf(candidate);
    return score === undefined ? [] : [{ row, score, suggestions: likeliest(candidate.other ?? candidate.answer) }];
  });
  const scores = scored.map(({ score }) => score);
  return highest(scores, size).map((place) => scored[place]!);
}

function differenceOf({ votes, contradiction, given, answer, other }: Candidate): number | undefined {
  if (votes) return voteDisagreement(votes);
  if (contradiction !== undefined) return contradiction;
  const own = answer ?? (given === null ? undefined : [{ label: given, probability: 1 }]);
  if (!own || !other) return undefined;
  const labels = [...new Set([...own, ...other].map(({ label }) => label))];
  const over = (weighted: readonly Weighted[]) => {
    const found = new Map(weighted.map(({ label, probability }) => [label, probability]));
    return labels.map((label) => found.get(label) ?? 0);
  };
  return disagreementOf(over(own), over(other));
}

const likeliest = (answer: readonly Weighted[] = []) =>
  answer.toSorted((a, b) => b.probability - a.probability).slice(0, mostSuggestions);

/** Where no model was asked and rows have labels: what n-grams of all other rows say. */
function withOthersOpinion(candidates: readonly Candidate[]): Candidate[] {
  const labelled = candidates.filter(({ given }) => given !== null);
  const names = [...new Set(labelled.map(({ given }) => given!))].sort();
  const labels = Int32Array.from(labelled, ({ given }) => names.indexOf(given!));
  const texts = labelled.map(({ text }) => text);
  const found = outOfFold({ texts, labels, classes: names.length });
  const opinions = new Map(
    labelled.map((candidate, row) => {
      const own = found.subarray(row * names.length, (row + 1) * names.length);
      return [candidate, names.map((label, k) => ({ label, probability: own[k]! }))];
    }),
  );
  return candidates.map((candidate) => {
    const answer = opinions.get(candidate);
    return answer ? { ...candidate, answer } : candidate;
  });
}
