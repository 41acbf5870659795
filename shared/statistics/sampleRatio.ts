/** Whether arms got the shares of exposures that they were to get; where not, no result of theirs may be read. */
import { checkCount, checkSameLength, checkShares } from "./checks.ts";
import { chiSquaredSurvival, logGamma } from "./distributions.ts";

/** Below this chance a reading stops (Fabijan et al. 2019, "Diagnosing sample ratio mismatch"). */
export const mismatchLevel = 0.001;

export interface SampleRatio {
  statistic: number;
  /** Of Pearson's test at one look. */
  pValue: number;
  /** Of a test that may be looked at after each exposure. */
  sequentialPValue: number;
  /** One look at `pValue` says so: looks without end would, in the end, at equal shares too; see `sequentialPValue`. */
  mismatch: boolean;
}

/** `exposures` and `shares` by arm. An arm of share 0 must have none. */
export function sampleRatio(exposures: readonly number[], shares: readonly number[]): SampleRatio {
  checkShares("shares", shares);
  checkSameLength("exposures", exposures, "shares", shares.length);
  exposures.forEach((count, i) => {
    checkCount(`exposures[${i}]`, count);
  });
  const total = exposures.reduce((sum, count) => sum + count, 0);
  if (exposures.some((count, i) => shares[i] === 0 && count > 0)) {
    return { statistic: Infinity, pValue: 0, sequentialPValue: 0, mismatch: true };
  }
  if (total === 0) return { statistic: 0, pValue: 1, sequentialPValue: 1, mismatch: false };
  const open = shares.flatMap((share, i) => (share > 0 ? [{ share, count: exposures[i]! }] : []));
  const statistic = open.reduce((sum, { share, count }) => sum + (count - total * share) ** 2 / (total * share), 0);
  const pValue = open.length > 1 ? chiSquaredSurvival(statistic, open.length - 1) : 1;
  const sequentialPValue = Math.min(1, Math.exp(-logEvidence(open, total)));
  return { statistic, pValue, sequentialPValue, mismatch: pValue < mismatchLevel };
}

/** How many exposures the planned shares are worth in the test that may be looked at: shares off by 2 points are sought. */
const concentration = 500;

/**
 * The logarithm of how much likelier the exposures are where shares differ than where they do not, by a Dirichlet
 * distribution about the shares (Lindon and Malek 2022, "Anytime-valid inference for multinomial count data").
 */
function logEvidence(open: readonly { share: number; count: number }[], total: number): number {
  const parts = open.map(({ share, count }) => {
    const prior = concentration * share;
    return logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  });
  const together = logGamma(concentration) - logGamma(concentration + total);
  return parts.reduce((sum, part) => sum + part, together);
}
