/** Jobs and questions of the accuracy suite, asked for as a customer asks. */
import type OpenAI from "openai";
import { concurrently } from "../examples/concurrently.ts";
import { decide, fineTune, follow, type Row } from "../examples/customer.ts";
import type { Measured } from "./result.ts";
import type { Bench } from "./suite.ts";

export interface Accuracy extends Omit<Bench, "part"> {
  client: OpenAI;
}

export type Part = (bench: Accuracy) => Promise<void>;

const requestsAtOnce = 16;

export interface Tuned {
  model: string;
  /** To each row of the test. */
  answers: (string | null)[];
  /** From the job's creation to its success. */
  seconds: number;
  /** Seconds. */
  answeredIn: number;
}

export interface Tuning {
  /** Of the set, for people and for the model's name. */
  name: string;
  /** Base model. */
  model: string;
  seed: number;
  tell: (line: string) => void;
}

/** Tunes on the training rows and asks about those of the test. */
export async function tune(
  client: OpenAI,
  { train, test, labels }: { train: readonly Row[]; test: readonly Row[]; labels: readonly string[] },
  { name, model, seed, tell }: Tuning,
): Promise<Tuned> {
  tell(`${name}: ${train.length} rows to learn from, ${test.length} to ask about, ${labels.length} labels`);
  const { id } = await fineTune(client, train, { model, suffix: name.replaceAll("_", "-").slice(0, 18), seed });
  const start = performance.now();
  const job = await follow(client, id, ({ message, data }) => {
    const isJudged = (data as { accuracy?: number } | null)?.accuracy !== undefined;
    if (isJudged || message.startsWith("Race")) tell(`${name}: ${message}`);
  });
  const seconds = (performance.now() - start) / 1000;
  const asked = performance.now();
  let answered = 0;
  const answers = await concurrently(test, requestsAtOnce, async ({ text }) => {
    const { choice } = await decide(client, job.fine_tuned_model!, text, { instructions: "Which label?", labels });
    if (++answered % 1000 === 0) tell(`${name}: ${answered} of ${test.length} asked`);
    return choice;
  });
  const answeredIn = (performance.now() - asked) / 1000;
  return { model: job.fine_tuned_model!, answers, seconds, answeredIn };
}

export function perSecond(value: number): Omit<Measured, "suite" | "case"> {
  return { value, unit: "per second", baseline: null, baseline_source: "none" };
}
