/** How many outcomes a test of one look needs, and what it then detects: the yardstick of tests that may be looked at. */
import { checkPositive, checkProbability } from "./checks.ts";
import { normalCdf, normalQuantile } from "./distributions.ts";

export interface PowerOptions {
  /** Two-sided. Default 0.05. */
  alpha?: number;
  /** Default 0.8. */
  power?: number;
}

/** Outcomes in each of two arms of equal size, for a difference of means in outcomes of this deviation; not rounded. */
export function sampleSizeForMeans(
  difference: number,
  deviation: number,
  { alpha = 0.05, power = 0.8 }: PowerOptions = {},
): number {
  checkPositive("|difference|", Math.abs(difference));
  checkPositive("deviation", deviation);
  checkProbability("alpha", alpha);
  checkProbability("power", power);
  const z = normalQuantile(power) - normalQuantile(alpha / 2);
  return 2 * ((z * deviation) / difference) ** 2;
}

/** The same for two proportions; variances are those of the proportions themselves (Fleiss 1981, without correction). */
export function sampleSizeForProportions(
  treatment: number,
  control: number,
  { alpha = 0.05, power = 0.8 }: PowerOptions = {},
): number {
  checkProbability("treatment", treatment);
  checkProbability("control", control);
  checkProbability("alpha", alpha);
  checkProbability("power", power);
  checkPositive("|treatment - control|", Math.abs(treatment - control));
  const middle = (treatment + control) / 2;
  const pooled = -normalQuantile(alpha / 2) * Math.sqrt(2 * middle * (1 - middle));
  const own = normalQuantile(power) * Math.sqrt(treatment * (1 - treatment) + control * (1 - control));
  return ((pooled + own) / (treatment - control)) ** 2;
}

/**
 * The horizon to plan, in outcomes of both arms, for a sequence that is to have the power of a test of one look with as many:
 * a fifth more. By the reflection principle 12 % are due to looks without number and a fifth of alpha kept for going on.
 */
export function plannedHorizon(outcomes: number): number {
  checkPositive("outcomes", outcomes);
  return 1.2 * outcomes;
}

/** The chance that a two-sided test finds a difference, with as many outcomes in each of two arms. */
export function powerForMeans(perArm: number, difference: number, deviation: number, alpha = 0.05): number {
  checkPositive("perArm", perArm);
  checkPositive("deviation", deviation);
  checkProbability("alpha", alpha);
  const distance = Math.abs(difference) / (deviation * Math.sqrt(2 / perArm));
  const z = -normalQuantile(alpha / 2);
  return normalCdf(distance - z) + normalCdf(-distance - z);
}
