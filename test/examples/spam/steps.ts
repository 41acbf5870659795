/** What the demo does, stage by stage; each tells what it found. */
import OpenAI from "openai";
import type { Millrace } from "../../../infra/local/millrace.ts";
import { concurrently } from "../concurrently.ts";
import { cancelUnfinished, decide, fineTune, follow, metricsOf, type Verdict } from "../customer.ts";
import { majority, naiveBayes } from "./baselines.ts";
import { labels, type Mail, readMails, type Split, splitMails } from "./mails.ts";
import { confusionOf, type Score, score } from "./measures.ts";
import type { LossPoint } from "./report.ts";
import { chart, confusionTable, progressBar, scoreTable, snippet, tell } from "./terminal.ts";

const seed = 1;
const requestsAtOnce = 16;
const question = { instructions: "Is this mail spam or ham?", labels };

export async function connect(millrace: Promise<Millrace>): Promise<OpenAI> {
  const { baseUrl, apiKey } = await millrace;
  const client = new OpenAI({ baseURL: baseUrl, apiKey });
  await cancelUnfinished(client);
  tell(`API and worker, and an S3, SQS and DynamoDB of their own: ${baseUrl}`);
  return client;
}

export function read(limit: number | undefined): Split {
  const { total, mails } = readMails();
  const split = splitMails(mails, seed, limit);
  const spam = split.test.filter(({ label }) => label === "spam").length;
  tell(`SpamAssassin public corpus: ${total} mails, ${mails.length} different bodies; headers are not used`);
  tell(`${split.train.length} to learn from, ${split.test.length} held out (${spam} of them spam), seed ${seed}`);
  return split;
}

export async function tune(
  client: OpenAI,
  base: string,
  mails: readonly Mail[],
): Promise<{ model: string; loss: LossPoint[] }> {
  const { id } = await fineTune(client, mails, { model: base, suffix: "spam", seed });
  const bar = progressBar();
  const job = await follow(client, id, ({ message, data }) => {
    const { step, total_steps, train_loss } = (data ?? {}) as Record<string, number | undefined>;
    if (message.startsWith("Race")) tell(message);
    if (total_steps) bar.at(step!, total_steps, `steps   loss ${train_loss!.toFixed(4)}`, message);
  });
  bar.end();
  const loss = (await metricsOf(client, job)).map((row) => {
    return { step: row.step!, train: row.train_loss!, valid: row.valid_loss };
  });
  console.log(chart(loss.map(({ train }) => train)));
  const judged = loss.findLast(({ valid }) => valid !== undefined);
  tell("training loss, from the job's result file");
  if (judged && judged.step < loss.length) {
    tell(`up to step ${judged.step} some mails were kept back, to judge by; then it learned afresh, from all`);
  }
  tell(`${job.trained_tokens} tokens; the model is ${job.fine_tuned_model}`);
  return { model: job.fine_tuned_model!, loss };
}

export async function askAll(client: OpenAI, model: string, mails: readonly Mail[]): Promise<Verdict[]> {
  const bar = progressBar();
  const start = performance.now();
  let answered = 0;
  const verdicts = await concurrently(mails, requestsAtOnce, async ({ text }) => {
    const verdict = await decide(client, model, text, question);
    bar.at(++answered, mails.length, "mails");
    return verdict;
  });
  bar.end();
  const perSecond = mails.length / ((performance.now() - start) / 1000);
  tell(`POST /v1/decisions, one request a mail, ${requestsAtOnce} at once: ${perSecond.toFixed(0)} answers a second`);
  return verdicts;
}

export function compare({ train, test }: Split, verdicts: readonly Verdict[]): Score[] {
  const choices = verdicts.map(({ choice }) => choice);
  const baseline = (name: string, predict: (text: string) => string) => {
    return score(
      name,
      test,
      test.map(({ text }) => predict(text)),
    );
  };
  const scores = [
    baseline("Majority class", majority(train)),
    baseline("Naive Bayes (wink)", naiveBayes(train)),
    score("Fine-tuned with Millrace", test, choices),
  ];
  console.log(`${scoreTable(scores)}\n\n${confusionTable(confusionOf(test, choices))}\n`);
  tell("none of these held-out mails was seen in training, and the baselines learned the same mails");
  return scores;
}

/** Five held-out mails from all along the list, which has the ham first. */
export async function showCalls(client: OpenAI, model: string, mails: readonly Mail[]): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const { text, label } = mails[Math.floor(((i + 0.5) * mails.length) / 5)]!;
    const start = performance.now();
    const { choice, probabilities } = await decide(client, model, text, question);
    const milliseconds = (performance.now() - start).toFixed(0);
    const answer = choice ? `${choice.padEnd(4)} ${probabilities[choice]!.toFixed(4)}` : "declined";
    tell(`${snippet(text)}  is ${label.padEnd(4)}  answer ${answer}  ${milliseconds.padStart(3)} ms`);
  }
}
