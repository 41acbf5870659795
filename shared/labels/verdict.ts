/** What several labellers say between them: the label that counts, and how far they agree. */
import type { LabelItemRecord } from "../schemas/label.ts";
import type { LabelAgreement } from "../schemas/labelQueue.ts";
import { krippendorffAlpha } from "../statistics/agreement.ts";

type Answers = LabelItemRecord["answers"];

export const verdictRules = {
  /** What more than half of the labels say. */
  majority: (labels: readonly string[]) => mostGiven(labels, (count) => 2 * count > labels.length),
  /** What all labels say. */
  unanimous: (labels: readonly string[]) => mostGiven(labels, (count) => count === labels.length),
};
export type VerdictRule = keyof typeof verdictRules;

function mostGiven(labels: readonly string[], suffices: (count: number) => boolean): string | undefined {
  const counts = Map.groupBy(labels, (label) => label);
  return [...counts].find(([, own]) => suffices(own.length))?.[0];
}

/** In the order of the labellers' names. */
export function labelsIn(answers: Answers): { id: string; labeller: string; label: string }[] {
  return Object.entries(answers)
    .flatMap(([labeller, { id, label }]) => (label === null ? [] : [{ id, labeller, label }]))
    .sort((a, b) => (a.labeller < b.labeller ? -1 : 1));
}

export function agreementOf(
  queue_id: string,
  items: readonly Pick<LabelItemRecord, "answers" | "state">[],
): LabelAgreement {
  const given = items.map(({ answers }) => labelsIn(answers));
  const names = [...new Set(given.flat().map(({ label }) => label))];
  const places = new Map(names.map((name, place) => [name, place]));
  const compared = given.filter((labels) => labels.length > 1);
  const closed = items.filter(({ state }) => state === "closed").length;
  const labellers = [...new Set(items.flatMap(({ answers }) => Object.keys(answers)))].sort();
  return {
    object: "label_queue.agreement",
    queue_id,
    alpha: krippendorffAlpha(
      given.map((labels) => labels.map(({ label }) => places.get(label)!)),
      "nominal",
    ),
    compared: compared.length,
    unanimous: compared.filter((labels) => new Set(labels.map(({ label }) => label)).size === 1).length,
    open: items.length - closed,
    closed,
    labellers: labellers.map((labeller) => ({ labeller, ...workOf(labeller, items) })),
  };
}

function workOf(labeller: string, items: readonly Pick<LabelItemRecord, "answers">[]) {
  const own = items.flatMap(({ answers }) => (Object.hasOwn(answers, labeller) ? [answers] : []));
  const count = (outcome: string) => own.filter((answers) => answers[labeller]!.outcome === outcome).length;
  const beside = own.flatMap((answers) => {
    const { label } = answers[labeller]!;
    const others = labelsIn(answers).filter((other) => other.labeller !== labeller);
    const majority = verdictRules.majority(others.map((other) => other.label));
    return label === null || majority === undefined ? [] : [label === majority];
  });
  return {
    labelled: count("labelled"),
    cannot_tell: count("cannot_tell"),
    skipped: count("skipped"),
    with_majority: beside.length ? beside.filter(Boolean).length / beside.length : null,
  };
}
