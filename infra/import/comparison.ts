/** The new model is asked what the old one was asked, as the customer's client asks: a chat completion by the old name. */
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { type Agreed, type Agreement, agreementOf, type Compared } from "./agreement.ts";
import { meaningOf } from "./aliases.ts";
import { type Calls, forEach } from "./calls.ts";
import { answerOf, type Recorded, textOf } from "./conversations.ts";
import type { Trained } from "./jobs.ts";
import type { Problem } from "./problem.ts";

export interface Comparison extends Omit<Agreement, "unlearned"> {
  old: string;
  model: string;
  /** Recorded, and not compared: about no text, answered by none, refused, or more than were to be asked. */
  unasked: number;
  refusals: Problem[];
  /** Of texts that the new model did not learn from; null where it is not known what it did. */
  unlearned: Agreed | null;
}

export interface Asking {
  trained: readonly Trained[];
  /** Of each model at most so many, the newest. */
  sample: number;
}

const atOnce = 8;

export async function compareModels(
  calls: Calls,
  recorded: readonly Recorded[],
  asking: Asking,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [old, of] of Map.groupBy(recorded, ({ model }) => model)) {
    const model = await meaningOf(calls, old);
    if (model === undefined) continue;
    const usable = of.filter((each) => textOf(each) !== undefined && answerOf(each) !== undefined);
    const asked = usable.toSorted((a, b) => b.created_at - a.created_at).slice(0, asking.sample);
    const learned = asking.trained.find((each) => each.model === model)?.learned;
    const { compared, refusals } = await askAll(calls, asked, learned);
    const figures = agreementOf(compared);
    const unlearned = learned ? figures.unlearned : null;
    comparisons.push({ old, model, unasked: of.length - compared.length, refusals, ...figures, unlearned });
  }
  return comparisons;
}

async function askAll(
  { client, signal, progress }: Calls,
  asked: readonly Recorded[],
  learned: ReadonlySet<string> | undefined,
) {
  const compared = new Array<Compared | undefined>(asked.length);
  const refusals: Problem[] = [];
  let done = 0;
  await forEach([...asked.entries()], atOnce, async ([i, each]) => {
    const messages = each.input.messages as unknown as ChatCompletionMessageParam[];
    const text = textOf(each)!;
    try {
      const output = await client.chat.completions.create({ model: each.model, messages }, { signal });
      const answered = answerOf({ output: { ...output } }) ?? "";
      const wasLearned = learned?.has(text) ?? false;
      compared[i] = { id: each.id, text, recorded: answerOf(each)!, answered, wasLearned };
    } catch (error) {
      if (!(error instanceof OpenAI.BadRequestError)) throw error;
      refusals.push({ place: each.id, message: error.message });
    }
    progress(`answers of ${each.model}`, ++done, asked.length);
  });
  return { compared: compared.filter((each) => each !== undefined), refusals };
}
