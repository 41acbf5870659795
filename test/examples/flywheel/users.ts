/** Simulated users: they ask about their mail, say whether the answer was right, mostly as it was, and some tell the right one. */
import type OpenAI from "openai";
import { randomOf } from "../../../shared/statistics/random.ts";
import { concurrently } from "../concurrently.ts";
import type { Mail } from "../spam/mails.ts";

export const atOnce = 16;
/** Share of users who say the opposite of what they think, and of those rejecting who tell the right answer. */
export const [noise, corrected] = [0.05, 0.5];

export interface Answered {
  choice: string | null;
  inference: string;
}

/** As any client of OpenAI asks; what is stored can be judged, and learned from. */
export async function ask(client: OpenAI, model: string, text: string, store = false): Promise<Answered> {
  const messages = [{ role: "user" as const, content: text }];
  const { id, choices } = await client.chat.completions.create({ model, messages, store });
  return { choice: choices[0]?.message.content ?? null, inference: id };
}

/** Percent of the mails that a model, or a function, answers right. */
export async function accuracyOf(client: OpenAI, model: string, mails: readonly Mail[]): Promise<number> {
  const answers = await concurrently(mails, atOnce, ({ text }) => ask(client, model, text));
  return (100 * answers.filter(({ choice }, i) => choice === mails[i]!.label).length) / mails.length;
}

/** Each mail is asked about and its answer judged; returns how many right answers people wrote down. */
export async function use(client: OpenAI, model: string, mails: readonly Mail[], seed: number): Promise<number> {
  const random = randomOf(seed, 40);
  const users = mails.map((mail) => ({
    mail,
    isWrong: random.uniform() < noise,
    corrects: random.uniform() < corrected,
  }));
  const written = await concurrently(users, atOnce, async ({ mail, isWrong, corrects }) => {
    const { choice, inference } = await ask(client, model, mail.text, true);
    const accepts = (choice === mail.label) !== isWrong;
    const tell = (metric_name: string, value: boolean | string) =>
      client.post("/feedback", { body: { inference_id: inference, metric_name, value } });
    await tell("accepted", accepts);
    if (accepts || !corrects) return 0;
    await tell("demonstration", mail.label);
    return 1;
  });
  return written.reduce((sum: number, one) => sum + one, 0);
}

/** `share` of the labels are the other one. */
export function flipped(mails: readonly Mail[], share: number, seed: number): Mail[] {
  const random = randomOf(seed, 41);
  const other = { ham: "spam", spam: "ham" } as const;
  return mails.map((mail) => (random.uniform() < share ? { ...mail, label: other[mail.label] } : mail));
}
