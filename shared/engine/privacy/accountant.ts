/**
 * How much privacy Gaussian noise on Poisson-sampled rows gives (Mironov, Talwar and Zhang 2019), in Renyi differential
 * privacy. Neighbours differ by one row, added or removed; who counts people groups a person's rows into one.
 */

/** Steps of one kind. What is kept of a training is this, not an epsilon: it composes, an epsilon does not. */
export interface PrivacyEvent {
  /** The probability with which each row is in a step's batch, in [0, 1]. */
  readonly sampleRate: number;
  /** Standard deviation of the noise over the clip norm; 0.05 at least, as less hides nothing. */
  readonly noiseMultiplier: number;
  readonly steps: number;
}

export interface PrivacySpent {
  /** With `delta`, the guarantee: outputs of neighbours differ in probability by e^epsilon at most, but for delta. */
  readonly epsilon: number;
  /** The Renyi order at which the bound is tightest. */
  readonly order: number;
}

// Below, epsilons are in the hundreds, and integrals take long.
const leastNoise = 0.05;

/** Opacus's: 1.1 to 10.9 by tenths, 12 to 63. */
export const orders: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 52 }, (_, i) => 12 + i),
];

/** The least epsilon, over `orders`, that events one after another keep at a delta. Throws RangeError out of range. */
export function epsilonOf(events: readonly PrivacyEvent[], delta: number): PrivacySpent {
  requireDelta(delta);
  for (const event of events) requireEvent(event);
  if (events.every(({ sampleRate, steps }) => sampleRate === 0 || steps === 0)) return { epsilon: 0, order: Infinity };
  const divergences = events.map((event) => renyiDivergences(event, orders));
  const spent = orders.map((order, i) => {
    const total = divergences.reduce((sum, byOrder) => sum + byOrder[i]!, 0);
    // Canonne, Kamath and Steinke 2020, proposition 12.
    const epsilon = total - (Math.log(delta) + Math.log(order)) / (order - 1) + Math.log1p(-1 / order);
    return { epsilon: Math.max(epsilon, 0), order };
  });
  return spent.reduce((least, found) => (found.epsilon < least.epsilon ? found : least));
}

/** Between the outputs of neighbours, for each order above 1. The event's values are in their ranges. */
export function renyiDivergences(event: PrivacyEvent, of: readonly number[]): number[] {
  const { sampleRate, noiseMultiplier, steps } = event;
  if (sampleRate === 0 || steps === 0) return of.map(() => 0);
  if (sampleRate === 1) return of.map((order) => (steps * order) / (2 * noiseMultiplier ** 2));
  const moments = logMoments(sampleRate, noiseMultiplier, of);
  return of.map((order, i) => (steps * moments[i]!) / (order - 1));
}

// In units of the noise's deviation: the Gaussian's mass beyond is 1e-43.
const tail = 14;

/**
 * ln E_{z ~ N(0, s^2)} [((1 - q) + q e^((2z - 1) / 2s^2))^a] for each order a, by the trapezoid rule, which for integrands
 * as smooth as this converges faster than any power of its step: they are analytic up to a distance of pi s^2 from the
 * real axis, so that a step of s^2 / 2 errs by e^(-4 pi^2). Unlike the published series it has no case for whole orders,
 * and nothing cancels.
 */
function logMoments(q: number, s: number, of: readonly number[]): number[] {
  const step = Math.min(s, s * s) / 2;
  const points = Math.ceil((Math.max(...of) + 2 * tail * s) / step);
  const places = Float64Array.from({ length: points + 1 }, (_, i) => i * step - tail * s);
  const density = places.map((z) => (-z * z) / (2 * s * s));
  const mix = places.map((z) => logMix(q, (2 * z - 1) / (2 * s * s)));
  const scale = Math.log(step / (s * Math.sqrt(2 * Math.PI)));
  return of.map((order) => {
    const logs = density.map((value, i) => value + order * mix[i]!);
    const highest = logs.reduce((a, b) => Math.max(a, b));
    const sum = logs.reduce((total, value) => total + Math.exp(value - highest), 0);
    return Math.max(highest + Math.log(sum) + scale, 0);
  });
}

/** ln((1 - q) + q e^x), also where e^x is beyond float64. */
function logMix(q: number, x: number): number {
  const [rest, chosen] = [Math.log1p(-q), Math.log(q) + x];
  const [low, high] = rest < chosen ? [rest, chosen] : [chosen, rest];
  return high + Math.log1p(Math.exp(low - high));
}

export interface PrivacyBudget {
  readonly epsilon: number;
  readonly delta: number;
  readonly sampleRate: number;
  readonly steps: number;
}

/**
 * The least noise multiplier, to a part in a million, that keeps a budget; 0.0625 where still less would do. Throws
 * RangeError where none does.
 */
export function noiseFor({ epsilon, delta, sampleRate, steps }: PrivacyBudget): number {
  if (!(epsilon > 0)) throw new RangeError(`epsilon must be more than 0, not ${epsilon}`);
  const keeps = (noiseMultiplier: number) =>
    epsilonOf([{ sampleRate, noiseMultiplier, steps }], delta).epsilon <= epsilon;
  let high = 0.5;
  for (; !keeps(high); high *= 2) {
    if (high > 1e6) throw new RangeError(`no noise keeps epsilon ${epsilon} at delta ${delta} by this accountant`);
  }
  let low = high / 2;
  for (; keeps(low); low /= 2) {
    if (low / 2 < leastNoise) return low;
    high = low;
  }
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2;
    if (keeps(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function requireDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) throw new RangeError(`delta lies in (0, 1), not ${delta}`);
}

function requireEvent({ sampleRate, noiseMultiplier, steps }: PrivacyEvent): void {
  if (!(sampleRate >= 0 && sampleRate <= 1)) throw new RangeError(`sampleRate lies in [0, 1], not ${sampleRate}`);
  if (!(noiseMultiplier >= leastNoise)) {
    throw new RangeError(`noiseMultiplier must be at least ${leastNoise}, not ${noiseMultiplier}`);
  }
  if (!(Number.isSafeInteger(steps) && steps >= 0)) throw new RangeError(`steps must be a whole number, not ${steps}`);
}
