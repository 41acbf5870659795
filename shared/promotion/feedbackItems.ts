/** What feedback on served answers says of two models, without favour for the one whose answers were judged. */

export interface JudgedAnswer {
  /** What was answered. */
  answer: string;
  /** Whether it was accepted; undefined: nobody said. */
  accepted?: boolean | undefined;
  /** The right answer, where somebody gave it. */
  correction?: string | undefined;
}

/** An item whose right label is known, and how many judged answers it stands for. */
export interface LabelledItem {
  /** Place in what was judged. */
  index: number;
  label: string;
  weight: number;
}

/**
 * An answer that was accepted is right; of those that were rejected, the ones that somebody corrected stand for all (Horvitz
 * and Thompson 1952). Left out, the rest would make whoever answered look better than it is, and a candidate that is right where
 * it was wrong worse. Without any correction, nothing is known of what was rejected, and none of it is returned.
 */
export function labelledItems(judged: readonly JudgedAnswer[]): LabelledItem[] {
  const isWrong = ({ answer, accepted, correction }: JudgedAnswer) =>
    correction === undefined ? accepted === false : correction !== answer;
  const wrong = judged.filter(isWrong);
  const corrected = wrong.filter(({ correction }) => correction !== undefined).length;
  return judged.flatMap((one, index) => {
    const label = one.correction ?? (one.accepted ? one.answer : undefined);
    if (label === undefined) return [];
    return [{ index, label, weight: isWrong(one) ? wrong.length / corrected : 1 }];
  });
}
