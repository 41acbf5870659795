/** Intervals of proportions and of the difference of two, that hold where counts are small. */
import { checkCount, checkProbability } from "./checks.ts";
import { normalQuantile } from "./distributions.ts";

export interface Interval {
  estimate: number;
  lower: number;
  upper: number;
}

/** Wilson 1927, "Probable inference, the law of succession, and statistical inference". */
export function wilsonInterval(successes: number, trials: number, alpha = 0.05): Interval {
  checkCount("trials", trials, 1);
  checkCount("successes", successes);
  if (successes > trials) throw new RangeError(`successes must be at most trials (${trials}), not ${successes}.`);
  checkProbability("alpha", alpha);
  const z = -normalQuantile(alpha / 2);
  const estimate = successes / trials;
  const centre = (successes + (z * z) / 2) / (trials + z * z);
  const radius = (z * Math.sqrt(trials * estimate * (1 - estimate) + (z * z) / 4)) / (trials + z * z);
  return {
    estimate,
    lower: successes === 0 ? 0 : Math.max(0, centre - radius),
    upper: successes === trials ? 1 : Math.min(1, centre + radius),
  };
}

export interface Proportion {
  successes: number;
  trials: number;
}

/** The first less the second, of different items: method 10 of Newcombe 1998, "Interval estimation for the difference between independent proportions". */
export function newcombeInterval(first: Proportion, second: Proportion, alpha = 0.05): Interval {
  const [a, b] = [first, second].map(({ successes, trials }) => wilsonInterval(successes, trials, alpha)) as [
    Interval,
    Interval,
  ];
  const estimate = a.estimate - b.estimate;
  return {
    estimate,
    lower: estimate - Math.hypot(a.estimate - a.lower, b.upper - b.estimate),
    upper: estimate + Math.hypot(a.upper - a.estimate, b.estimate - b.lower),
  };
}
