/** The mean over classes of F1, of all items or of some drawn with repetition. */

import type { Statistic } from "./bootstrap.ts";
import { checkCount, checkSameLength, checkWithin } from "./checks.ts";

/** `truth` and `predicted`: classes from 0 up to `classes`, by item. Classes that neither holds among the items do not count. */
export function macroF1Of(truth: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): Statistic {
  checkCount("classes", classes, 2);
  checkSameLength("predicted", predicted, "truth", truth.length);
  for (let i = 0; i < truth.length; i++) {
    checkWithin(`truth[${i}]`, truth[i]!, [0, classes - 1]);
    checkWithin(`predicted[${i}]`, predicted[i]!, [0, classes - 1]);
  }
  const [right, given, told] = [new Float64Array(classes), new Float64Array(classes), new Float64Array(classes)];
  return (items) => {
    for (const counts of [right, given, told]) counts.fill(0);
    for (const item of items) {
      given[truth[item]!]!++;
      told[predicted[item]!]!++;
      if (truth[item] === predicted[item]) right[truth[item]!]!++;
    }
    let [sum, present] = [0, 0];
    for (let k = 0; k < classes; k++) {
      const either = given[k]! + told[k]!;
      if (either === 0) continue;
      present++;
      sum += (2 * right[k]!) / either;
    }
    return present === 0 ? 0 : sum / present;
  };
}
