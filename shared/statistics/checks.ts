/** What the functions of this room ask of their arguments; what is broken is named. */

function refuse(name: string, rule: string, value: unknown): never {
  throw new RangeError(`${name} must be ${rule}, not ${String(value)}.`);
}

export function checkProbability(name: string, value: number): void {
  if (!(value > 0 && value < 1)) refuse(name, "between 0 and 1, both excluded", value);
}

export function checkCount(name: string, value: number, least = 0): void {
  if (!(Number.isSafeInteger(value) && value >= least)) refuse(name, `a whole number of at least ${least}`, value);
}

export function checkFinite(name: string, value: number): void {
  if (!Number.isFinite(value)) refuse(name, "a finite number", value);
}

export function checkPositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) refuse(name, "a positive number", value);
}

export function checkWithin(name: string, value: number, [low, high]: readonly [number, number]): void {
  if (!(value >= low && value <= high)) refuse(name, `from ${low} to ${high}`, value);
}

export function checkValues(name: string, values: ArrayLike<number>, least = 1): void {
  if (values.length < least) refuse(name, `at least ${least} numbers`, values.length);
  for (let i = 0; i < values.length; i++) checkFinite(`${name}[${i}]`, values[i]!);
}

export function checkSameLength(name: string, values: ArrayLike<unknown>, other: string, length: number): void {
  if (values.length !== length) refuse(name, `as long as ${other} (${length})`, values.length);
}

/** Shares of arms: none negative, together 1 but for rounding. */
export function checkShares(name: string, shares: readonly number[]): void {
  if (shares.length < 2) refuse(name, "two shares at least", shares.length);
  shares.forEach((share, i) => {
    checkWithin(`${name}[${i}]`, share, [0, 1]);
  });
  const sum = shares.reduce((all, share) => all + share, 0);
  if (Math.abs(sum - 1) > 1e-9) refuse(name, "shares whose sum is 1", sum);
}
