/** How far a new model answers as an old one did: overall, by class, beyond chance, and where it does not. */
import { cohenKappa } from "../../shared/statistics/agreement.ts";
import { type Interval, wilsonInterval } from "../../shared/statistics/proportions.ts";

/** One recorded input, and both answers to it. */
export interface Compared {
  /** Id of the recorded completion. */
  id: string;
  text: string;
  recorded: string;
  answered: string;
  /** Whether the new model learned from this very text. */
  wasLearned: boolean;
}

export interface Agreed {
  asked: number;
  agreed: number;
  /** Wilson's, 95 %; null where nothing was asked. */
  share: Interval | null;
}

export interface ClassAgreement extends Agreed {
  /** As the old model answered. */
  label: string;
  /** How often the new one did. */
  answered: number;
}

export interface Disagreement {
  recorded: string;
  answered: string;
  count: number;
  examples: { id: string; text: string }[];
}

export interface Agreement extends Agreed {
  /** Cohen's; null where chance alone would agree on everything. */
  kappa: number | null;
  /** Of texts that the new model did not learn from. */
  unlearned: Agreed;
  /** The most frequent first. */
  classes: ClassAgreement[];
  /** The most frequent first. */
  disagreements: Disagreement[];
}

const mostExamples = 3;

export function agreementOf(compared: readonly Compared[]): Agreement {
  const places = new Map<string, number>();
  const placeOf = (label: string) => {
    if (!places.has(label)) places.set(label, places.size);
    return places.get(label)!;
  };
  const recorded = compared.map((each) => placeOf(each.recorded));
  const answered = compared.map((each) => placeOf(each.answered));
  const byClass = Map.groupBy(compared, (each) => each.recorded);
  const classes = [...byClass].map(([label, of]): ClassAgreement => {
    const count = answered.filter((place) => place === places.get(label)).length;
    return { label, ...agreedOf(of), answered: count };
  });
  return {
    ...agreedOf(compared),
    kappa: compared.length > 0 ? cohenKappa(recorded, answered) : null,
    unlearned: agreedOf(compared.filter(({ wasLearned }) => !wasLearned)),
    classes: classes.sort((a, b) => b.asked - a.asked || (a.label < b.label ? -1 : 1)),
    disagreements: disagreementsOf(compared),
  };
}

function agreedOf(compared: readonly Compared[]): Agreed {
  const asked = compared.length;
  const agreed = compared.filter((each) => each.recorded === each.answered).length;
  return { asked, agreed, share: asked > 0 ? wilsonInterval(agreed, asked) : null };
}

function disagreementsOf(compared: readonly Compared[]): Disagreement[] {
  const pairs = Map.groupBy(
    compared.filter((each) => each.recorded !== each.answered),
    (each) => JSON.stringify([each.recorded, each.answered]),
  );
  const found = [...pairs.values()].map((pair): Disagreement => {
    const { recorded, answered } = pair[0]!;
    const examples = pair.slice(0, mostExamples).map(({ id, text }) => ({ id, text }));
    return { recorded, answered, count: pair.length, examples };
  });
  return found.sort((a, b) => b.count - a.count);
}
