/** Who may look at a row: as many labellers as it wants, each once, and nobody beyond that at any moment. */
import type { Answer, LabelItemRecord } from "../schemas/label.ts";

type Item = Pick<LabelItemRecord, "answers" | "leases" | "overlap" | "state">;

/** Skipping leaves the seat to another; not to be able to tell fills it. */
const fillsSeat = ({ outcome }: Answer) => outcome !== "skipped";

export const answered = ({ answers }: Pick<Item, "answers">) => Object.values(answers).filter(fillsSeat).length;

const isHeld = (expires: number, now: number) => expires > now;

/** Whether the labeller holds it, and has not answered. */
export function holds({ answers, leases }: Item, labeller: string, now: number): boolean {
  return !Object.hasOwn(answers, labeller) && isHeld(leases[labeller] ?? 0, now);
}

/** Whether there is a seat for the labeller besides those of others, who answered or are at it. */
export function hasSeat(item: Item, labeller: string, now: number): boolean {
  if (item.state === "closed" || Object.hasOwn(item.answers, labeller)) return false;
  const others = Object.entries(item.leases).filter(
    ([other, expires]) => other !== labeller && isHeld(expires, now) && !Object.hasOwn(item.answers, other),
  );
  return answered(item) + others.length < item.overlap;
}

/** With a seat for the labeller until `expires`; leases that ran out are forgotten but for their own. */
export function seated(item: Item, labeller: string, expires: number, now: number): Pick<Item, "leases"> {
  const kept = Object.entries(item.leases).filter(([, until]) => isHeld(until, now));
  return { leases: { ...Object.fromEntries(kept), [labeller]: expires } };
}

/**
 * With the answer. Undefined where the labeller has no seat: the row was never theirs, or it went to another when the
 * lease ran out. A second answer corrects the first.
 */
export function withAnswer(
  item: Item,
  labeller: string,
  answer: Answer,
  now: number,
): Pick<Item, "answers" | "leases" | "state"> | undefined {
  const isCorrection = Object.hasOwn(item.answers, labeller);
  const wasTheirs = Object.hasOwn(item.leases, labeller);
  if (!isCorrection && !(wasTheirs && hasSeat(item, labeller, now))) return undefined;
  // A row skipped before may have gone to another since.
  const takesSeat = isCorrection && fillsSeat(answer) && !fillsSeat(item.answers[labeller]!);
  const answers = { ...item.answers, [labeller]: answer };
  if (takesSeat && answered({ answers }) > item.overlap) return undefined;
  const { [labeller]: _own, ...leases } = item.leases;
  const isFull = item.state === "closed" || answered({ answers }) >= item.overlap;
  return { answers, leases, state: isFull ? "closed" : "open" };
}
