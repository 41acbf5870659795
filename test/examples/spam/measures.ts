/** How good answers are: right or wrong, and whether probabilities mean what they say. */
import { type Label, labels, type Mail } from "./mails.ts";

export interface Score {
  name: string;
  right: number;
  total: number;
}

export function score(name: string, mails: readonly Mail[], answers: readonly (string | null)[]): Score {
  return { name, right: mails.filter(({ label }, i) => label === answers[i]).length, total: mails.length };
}

/** True label, then answer; `none`: declined. */
export type Confusion = Record<Label, Record<Label | "none", number>>;

export function confusionOf(mails: readonly Mail[], answers: readonly (string | null)[]): Confusion {
  const count = (label: Label, answer: string | null) => {
    return mails.filter((mail, i) => mail.label === label && answers[i] === answer).length;
  };
  const row = (label: Label) => ({ ham: count(label, "ham"), spam: count(label, "spam"), none: count(label, null) });
  return { ham: row(labels[0]), spam: row(labels[1]) };
}

/** Mails with similar probabilities of spam. */
export interface Bin {
  mails: number;
  /** Mean probability of spam, as answered. */
  said: number;
  /** Share that is spam. */
  was: number;
}

/** The share among fewer mails would say nothing. */
export const leastMails = 10;

/** Tenths of the probability, neighbours joined where they hold fewer than `leastMails`. null: declined. */
export function calibration(mails: readonly Mail[], probabilities: readonly (number | null)[]): Bin[] {
  const answered = mails
    .map(({ label }, i) => ({ spam: label === "spam", probability: probabilities[i] ?? null }))
    .filter((one): one is Answered => one.probability !== null);
  const bins: Answered[][] = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    const members = answered.filter(({ probability }) => Math.min(9, Math.floor(probability * 10)) === tenth);
    const before = bins.at(-1);
    if (before && before.length < leastMails) before.push(...members);
    else bins.push(members);
  }
  if (bins.length > 1 && bins.at(-1)!.length < leastMails) bins.at(-2)!.push(...bins.pop()!);
  return bins.map((members) => ({
    mails: members.length,
    said: mean(members.map(({ probability }) => probability)),
    was: mean(members.map(({ spam }) => Number(spam))),
  }));
}

interface Answered {
  spam: boolean;
  probability: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
