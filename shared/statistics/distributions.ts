/** Distribution functions, by Moshier's Cephes compiled to WebAssembly: the routines that SciPy's were built from. */
import * as cephes from "cephes";

// Its functions are there once its WebAssembly is compiled, some 15 ms after the first import.
await cephes.compiled;

export const normalCdf = (x: number): number => cephes.ndtr(x);

/** For p in (0, 1); infinite at its ends. */
export const normalQuantile = (p: number): number => (p <= 0 ? -Infinity : p >= 1 ? Infinity : cephes.ndtri(p));

/** The chance of a chi-squared variable above `x`. */
export function chiSquaredSurvival(x: number, degrees: number): number {
  try {
    return cephes.chdtrc(degrees, x);
  } catch (error) {
    // Below 1e-308 cephes throws, where a chance of nothing is meant.
    if (error instanceof Error && error.message.includes("underflow")) return 0;
    throw error;
  }
}

export const betaCdf = (x: number, a: number, b: number): number => (x <= 0 ? 0 : x >= 1 ? 1 : cephes.incbet(a, b, x));

export const betaQuantile = (p: number, a: number, b: number): number => cephes.incbi(a, b, p);

/** The chance of at most `successes` of `trials`. */
export const binomialCdf = (successes: number, trials: number, p: number): number =>
  successes < 0 ? 0 : successes >= trials ? 1 : cephes.bdtr(successes, trials, p);

export const logGamma = (x: number): number => cephes.lgam(x);

/** The chance of a Kolmogorov variable above `x`. Its series does not end at 0, and is 1 to 1e-15 below 0.1. */
export const kolmogorovSurvival = (x: number): number => (x < 0.1 ? 1 : cephes.kolmogorov(x));
