/** How far labellers agree beyond chance. */
import { checkCount, checkFinite, checkSameLength } from "./checks.ts";

export type Level = "nominal" | "ordinal" | "interval";

/** How much two values differ, squared, by their places among all values and how often each was given. */
type Distance = (a: number, b: number, values: readonly number[], counts: readonly number[]) => number;

const distances: Record<Level, Distance> = {
  nominal: (a, b) => (a === b ? 0 : 1),
  ordinal(a, b, _values, counts) {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    let between = 0;
    for (let place = low; place <= high; place++) between += counts[place]!;
    return (between - (counts[a]! + counts[b]!) / 2) ** 2;
  },
  interval: (a, b, values) => (values[a]! - values[b]!) ** 2,
};

/**
 * Krippendorff's alpha (Hayes and Krippendorff 2007, "Answering the call for a standard reliability measure for coding
 * data"): 1 where all agree, 0 where they do as by chance. `units`: the values that labellers gave each, in any order, null
 * where one gave none; of ordinal values their order counts. Null where no unit has two, or all of such are alike.
 */
export function krippendorffAlpha(units: readonly (readonly (number | null)[])[], level: Level): number | null {
  const pairable = units.map((unit) => unit.filter((value) => value !== null)).filter((unit) => unit.length > 1);
  for (const value of pairable.flat()) checkFinite("units", value);
  const values = [...new Set(pairable.flat())].sort((a, b) => a - b);
  const place = new Map(values.map((value, i) => [value, i]));
  const size = values.length;
  const coincidences = new Float64Array(size * size);
  for (const unit of pairable) {
    for (const [i, a] of unit.entries()) {
      for (const [j, b] of unit.entries()) {
        if (i !== j) coincidences[place.get(a)! * size + place.get(b)!]! += 1 / (unit.length - 1);
      }
    }
  }
  const counts = values.map((_, a) => coincidences.subarray(a * size, (a + 1) * size).reduce((sum, c) => sum + c, 0));
  const all = counts.reduce((sum, count) => sum + count, 0);
  let [observed, expected] = [0, 0];
  for (let a = 0; a < size; a++) {
    for (let b = a + 1; b < size; b++) {
      const distance = distances[level](a, b, values, counts);
      observed += coincidences[a * size + b]! * distance;
      expected += counts[a]! * counts[b]! * distance;
    }
  }
  return expected > 0 ? 1 - ((all - 1) * observed) / expected : null;
}

/** Cohen 1960, "A coefficient of agreement for nominal scales"; null where chance alone would agree on everything. */
export function cohenKappa(first: ArrayLike<number>, second: ArrayLike<number>): number | null {
  checkCount("first.length", first.length, 1);
  checkSameLength("second", second, "first", first.length);
  const classes = [...new Set([...Array.from(first), ...Array.from(second)])];
  const share = (of: ArrayLike<number>, value: number) => Array.from(of).filter((v) => v === value).length / of.length;
  const agreed = Array.from(first).filter((value, i) => value === second[i]).length / first.length;
  const chance = classes.reduce((sum, value) => sum + share(first, value) * share(second, value), 0);
  return chance < 1 ? (agreed - chance) / (1 - chance) : null;
}
