/**
 * A difference of means that may be looked at whenever one likes, exact at any number of outcomes: for outcomes within
 * known limits, such as booleans, of units assigned by known probabilities, which may change as outcomes come in.
 */

import type { Reading } from "./asymptoticSequence.ts";
import { checkPositive, checkProbability, checkWithin } from "./checks.ts";

/** The same from the first outcome to the last reading: an experiment stores them beside its state. */
export interface BoundedOptions {
  /** The least and the greatest that an outcome can be. Default [0, 1]. */
  range?: readonly [number, number];
  /** No unit's chance of either arm is ever below it. Default 0.5: always as likely. */
  leastPropensity?: number;
  /** Default 0.05. */
  alpha?: number;
  /** At how many outcomes of both arms together the interval is to be sharpest. */
  horizon: number;
}

export interface BoundedOutcome {
  outcome: number;
  treated: boolean;
  /** The chance that this unit was to be treated, known when it was assigned. */
  propensity: number;
}

/** All that is kept of the outcomes so far. They count in the order in which they came, each once and for good. */
export interface BoundedState {
  n: number;
  /** Sums of bets, of bets times scores, and of what bets cost. */
  bets: number;
  betScores: number;
  cost: number;
  /** Of the scores: their sum, and that of their squared distances from the mean before them. */
  scores: number;
  squares: number;
  /** Of outcomes scaled to [0, 1], by arm. */
  treated: { n: number; sum: number };
  untreated: { n: number; sum: number };
  /** The greatest logarithm so far of evidence that there is a difference. */
  evidence: number;
}

export function startBounded(): BoundedState {
  const sums = { n: 0, bets: 0, betScores: 0, cost: 0, scores: 0, squares: 0, evidence: 0 };
  return { ...sums, treated: { n: 0, sum: 0 }, untreated: { n: 0, sum: 0 } };
}

interface Settings extends Required<BoundedOptions> {
  /** A difference, as the scores of units are, is from -reach to reach, in units of the range. */
  reach: number;
}

function settingsOf({ range = [0, 1], leastPropensity = 0.5, alpha = 0.05, horizon }: BoundedOptions): Settings {
  checkProbability("alpha", alpha);
  checkPositive("horizon", horizon);
  checkPositive("range[1] - range[0]", range[1] - range[0]);
  if (!(leastPropensity > 0 && leastPropensity <= 0.5)) {
    throw new RangeError(`leastPropensity must be above 0 and at most 0.5, not ${leastPropensity}.`);
  }
  return { range, leastPropensity, alpha, horizon, reach: 1 / leastPropensity };
}

/**
 * One outcome more, in place. The unit's score is the doubly robust one (augmented inverse propensity weighting), whose
 * mean is the difference whatever is believed of the arms; scores meet the predictable plug-in empirical Bernstein
 * sequence of Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", theorem 2.
 */
export function addBounded(state: BoundedState, unit: BoundedOutcome, options: BoundedOptions): void {
  const settings = settingsOf(options);
  const score = scoreOf(state, unit, settings);
  const mean = (state.scores + 0.5) / (state.n + 1);
  const bet = nextBet(state, settings);
  state.bets += bet;
  state.betScores += bet * score;
  state.cost += (score - mean) ** 2 * (-Math.log1p(-bet) - bet);
  state.n += 1;
  state.scores += score;
  state.squares += (score - (state.scores + 0.5) / (state.n + 1)) ** 2;
  const arm = unit.treated ? state.treated : state.untreated;
  arm.n += 1;
  arm.sum += (unit.outcome - settings.range[0]) / (settings.range[1] - settings.range[0]);
  state.evidence = Math.max(state.evidence, Math.abs(state.betScores - 0.5 * state.bets) - state.cost);
}

/** From 0 to 1; its mean is 1/2 where arms do not differ. */
function scoreOf({ treated, untreated }: BoundedState, unit: BoundedOutcome, settings: Settings): number {
  const { range, leastPropensity, reach } = settings;
  checkWithin("outcome", unit.outcome, range);
  checkWithin("propensity", unit.propensity, [leastPropensity - 1e-9, 1 - leastPropensity + 1e-9]);
  const outcome = (unit.outcome - range[0]) / (range[1] - range[0]);
  const expected = [treated, untreated].map(({ n, sum }) => (sum + 0.5) / (n + 1)) as [number, number];
  const centre = (1 - unit.propensity) * expected[0] + unit.propensity * expected[1];
  const weight = unit.treated ? 1 / unit.propensity : -1 / (1 - unit.propensity);
  return Math.min(1, Math.max(0, 0.5 + (weight * (outcome - centre)) / (2 * reach)));
}

/** Constant up to the horizon but for the variance, which makes the interval sharpest there; then slowly less. */
function nextBet({ n, squares }: BoundedState, { alpha, horizon }: Settings): number {
  const variance = (0.25 + squares) / (n + 1);
  const span = Math.max(horizon, ((n + 1) * Math.log(n + 2)) / Math.log(horizon + 1));
  return Math.min(0.5, Math.sqrt((2 * Math.log(2 / alpha)) / (variance * span)));
}

export function readBounded(state: BoundedState, options: BoundedOptions): Reading {
  const { range, alpha, reach } = settingsOf(options);
  if (state.n === 0) return { difference: 0, lower: -Infinity, upper: Infinity, pValue: 1 };
  const unit = range[1] - range[0];
  const difference = (2 * state.betScores) / state.bets - 1;
  const radius = (2 * (Math.log(2 / alpha) + state.cost)) / state.bets;
  const scaled = (value: number) => unit * Math.max(-1, Math.min(1, reach * value));
  const pValue = Math.min(1, 2 * Math.exp(-state.evidence));
  return {
    difference: scaled(difference),
    lower: scaled(difference - radius),
    upper: scaled(difference + radius),
    pValue,
  };
}
