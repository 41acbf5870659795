/**
 * Shares of arms that learn: top-two Thompson sampling (Russo 2020, "Simple Bayesian algorithms for best-arm
 * identification"), whose chances are computed and not drawn, so that each assignment's propensity is known.
 */
import { checkCount, checkPositive, checkProbability, checkWithin } from "./checks.ts";
import { betaCdf, betaQuantile, normalCdf, normalQuantile } from "./distributions.ts";
import { type Arm, checkArm } from "./moments.ts";

/** What is believed of an arm's mean. */
export interface Posterior {
  mean: number;
  cdf(x: number): number;
  quantile(p: number): number;
}

/** Of a boolean metric, with a uniform prior. */
export function betaPosterior(successes: number, failures: number): Posterior {
  checkCount("successes", successes);
  checkCount("failures", failures);
  const [a, b] = [successes + 1, failures + 1];
  return { mean: a / (a + b), cdf: (x) => betaCdf(x, a, b), quantile: (p) => betaQuantile(p, a, b) };
}

/** Of a float metric, by its mean and standard error; `prior` keeps an arm of few outcomes uncertain, and is worth one. */
export function normalPosterior(arm: Arm, prior: { mean: number; deviation: number }): Posterior {
  checkArm("arm", arm);
  checkPositive("prior.deviation", prior.deviation);
  const variance = arm.n > 1 && arm.variance > 0 ? arm.variance : prior.deviation ** 2;
  const [weight, own] = [1 / prior.deviation ** 2, arm.n / variance];
  const mean = (weight * prior.mean + own * arm.mean) / (weight + own);
  const deviation = 1 / Math.sqrt(weight + own);
  return {
    mean,
    cdf: (x) => normalCdf((x - mean) / deviation),
    quantile: (p) => mean + deviation * normalQuantile(p),
  };
}

export interface Belief {
  /** By arm: the chance that it is the best. Their sum is 1. */
  best: number[];
  /** By arm: what is lost, as far as is believed, in units of the metric, by keeping it for ever. */
  expectedLoss: number[];
}

/** At so many quantiles of each arm: chances to some 0.001. */
const points = 256;

/** Of arms whose metric is to be maximized; one to be minimized is given negated. */
export function beliefOf(posteriors: readonly Posterior[]): Belief {
  if (posteriors.length < 2) throw new RangeError(`posteriors must be two at least, not ${posteriors.length}.`);
  const found = posteriors.map((own, arm) => {
    let [chance, value] = [0, 0];
    for (let k = 0; k < points; k++) {
      const x = own.quantile((k + 0.5) / points);
      let above = 1;
      for (let other = 0; other < posteriors.length; other++) if (other !== arm) above *= posteriors[other]!.cdf(x);
      chance += above / points;
      value += (above * x) / points;
    }
    return { chance, value };
  });
  // Where some arms are far better, the sum of chances is 1 but for the grid.
  const sum = found.reduce((all, { chance }) => all + chance, 0);
  const greatest = found.reduce((all, { value }) => all + value, 0) / sum;
  return {
    best: found.map(({ chance }) => chance / sum),
    expectedLoss: posteriors.map(({ mean }) => Math.max(0, greatest - mean)),
  };
}

export interface TopTwoOptions {
  /** How often the arm that is drawn first is taken. Default 1/2. */
  beta?: number;
  /** No arm gets less of the traffic: what tests after the fact need. Default 0. */
  leastShare?: number;
}

/**
 * The chance of each arm to be assigned: with beta the one that a draw from the posteriors has as best, else the best of
 * the first draw that has another. As shares of an assignment they are its propensities.
 */
export function topTwoShares({ best }: Belief, { beta = 0.5, leastShare = 0 }: TopTwoOptions = {}): number[] {
  checkProbability("beta", beta);
  checkWithin("leastShare", leastShare, [0, 1 / best.length]);
  const chances = best.map((chance) => Math.max(chance, 1e-12));
  const odds = chances.map((chance) => chance / Math.max(1e-12, 1 - chance));
  const allOdds = odds.reduce((all, part) => all + part, 0);
  const shares = chances.map((chance, arm) => chance * (beta + (1 - beta) * (allOdds - odds[arm]!)));
  const sum = shares.reduce((all, share) => all + share, 0);
  const free = 1 - leastShare * best.length;
  return shares.map((share) => leastShare + (free * share) / sum);
}

export interface StoppingRule {
  /**
   * Stop once an arm is the best with this chance. Default 0.99. It says which arm to keep, not that arms differ: of two arms
   * alike, looked at twenty times, one was named in 12 of 100 experiments (at 0.95 in 43). That is for sequences to say.
   */
  certainty?: number;
  /** Or once keeping the best-looking arm loses less than this, in units of the metric. Default 0: never. */
  tolerableLoss?: number;
  /** Never before these many outcomes in each arm. Default 100. */
  leastOutcomes?: number;
}

export interface Verdict {
  /** The arm most likely the best, whether or not one may stop. */
  arm: number;
  stop: "certain" | "no_loss_left" | null;
}

export function verdictOn({ best, expectedLoss }: Belief, outcomes: readonly number[], rule: StoppingRule): Verdict {
  const { certainty = 0.99, tolerableLoss = 0, leastOutcomes = 100 } = rule;
  checkProbability("certainty", certainty);
  const arm = best.indexOf(Math.max(...best));
  if (Math.min(...outcomes) < leastOutcomes) return { arm, stop: null };
  if (best[arm]! >= certainty) return { arm, stop: "certain" };
  return { arm, stop: expectedLoss[arm]! < tolerableLoss ? "no_loss_left" : null };
}
