/** `npm run demo -- flywheel`: a spam filter that learns from its users, turn by turn, and a gate that stops what would harm it. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import OpenAI from "openai";
import type { Millrace } from "../../../infra/local/millrace.ts";
import type { Promotion } from "../../../shared/schemas/promotion.ts";
import type { Mail } from "../spam/mails.ts";
import { seconds, stages, tell } from "../spam/terminal.ts";
import { withMillrace } from "../withMillrace.ts";
import { mailsByTime, type Sizes, streamOf } from "./mails.ts";
import { begin, type Filter, nameTask, otherModel, putPolicy, settled, upload } from "./owner.ts";
import { type Line, renderReport } from "./report.ts";
import { accuracyOf, corrected, flipped, noise, use } from "./users.ts";

const directory = join(resolve(process.env.MILLRACE_HOME ?? ".millrace"), "demo");
const report = join(directory, "flywheel.svg");
const sizes: Sizes = { known: 400, turns: 5, perTurn: 200, test: 300 };
const name = "spam-filter";

async function demo(millrace: Promise<Millrace>): Promise<void> {
  const started = performance.now();
  const stage = stages(6);
  const client = await stage("Start Millrace", () => connect(millrace));
  const stream = streamOf(mailsByTime(), sizes);
  const filter = await stage("Train a first model of few mails, and name the task", async () => {
    const made = await nameTask(client, name, stream.known);
    tell(`${stream.known.length} mails labelled, half of them set aside; \`fn:${name}\` is answered by ${made.model}`);
    return made;
  });
  const first = await accuracyOf(client, filter.model, stream.test);
  const lines: Record<"wheel" | "random" | "never", Line> = {
    wheel: { name: "learns from its users", values: [first] },
    random: { name: "as many mails labelled at random", values: [first] },
    never: { name: "never trained again", values: [first] },
  };
  const promoted: boolean[] = [];
  await stage(`${sizes.turns} turns: users ask and judge, the policy trains and promotes`, async () => {
    tell(
      `of users, ${100 * noise} % say the opposite of what they think; ${100 * corrected} % of those who reject tell the right label`,
    );
    let written = 0;
    for (const [i, mails] of stream.turns.entries()) {
      const turned = await turnOnce(filter, mails, i + 1);
      written += turned.written;
      promoted.push(turned.promotion.status === "promoted");
      lines.wheel.values.push(await accuracyOf(client, `fn:${name}`, stream.test));
      lines.random.values.push(await randomly(filter, stream.known, stream.turns.slice(0, i + 1).flat(), written));
      lines.never.values.push(first);
      tell(`turn ${i + 1}: ${outcomeOf(turned.promotion)}`);
      const [now, drawn] = [lines.wheel, lines.random].map(({ values }) => values.at(-1)!.toFixed(1));
      tell(
        `        ${now} % of ${stream.test.length} held-out mails right; ${drawn} % with ${written} labels drawn at random; ${first.toFixed(1)} % never trained again`,
      );
    }
    async function randomly({ client }: Filter, known: readonly Mail[], seen: readonly Mail[], count: number) {
      const every = Math.max(1, Math.floor(seen.length / Math.max(1, count)));
      const drawn = seen.filter((_, i) => i % every === 0).slice(0, count);
      const learned = known.slice(0, known.length / 2);
      return accuracyOf(client, await otherModel(client, [...learned, ...drawn], "random"), stream.test);
    }
  });
  const poisoned = await stage("A poisoned batch: 30 % of its labels are flipped", () =>
    poison(filter, stream.poisoned),
  );
  const worse = await stage("A worse candidate: hardly trained", () => spoil(filter, stream.last));
  await stage("Draw the report", () => {
    const subtitle = `SpamAssassin mails by time: ${sizes.known} labelled at first, ${sizes.perTurn} judged by users a turn, ${new Date().toISOString().slice(0, 10)}`;
    const stopped = [poisoned, worse].map((one, i) => `${i ? "Worse candidate" : "Poisoned batch"}: ${outcomeOf(one)}`);
    writeFileSync(report, renderReport({ subtitle, lines: Object.values(lines), promoted, stopped }));
    tell(relative(".", report));
  });
  console.log(`\nDone in ${seconds(performance.now() - started)}.`);
}

async function connect(millrace: Promise<Millrace>): Promise<OpenAI> {
  const { baseUrl, apiKey } = await millrace;
  const client = new OpenAI({ baseURL: baseUrl, apiKey });
  tell(baseUrl);
  return client;
}

const outcomeOf = ({ history }: Promotion) => {
  const { to, reason } = history.at(-1)!;
  return `${to.replace("_", " ")}. ${reason}`;
};

/** Users first, and then the policy by itself, as enough of them have judged. */
async function turnOnce(filter: Filter, mails: readonly Mail[], turn: number) {
  // While users judge, no turn is to begin: each is to have all that they said.
  await putPolicy(filter, {});
  const written = await use(filter.client, `fn:${name}`, mails, turn);
  await putPolicy(filter, { newRows: Math.floor(mails.length / 2) });
  return { written, promotion: await settled(filter, turn) };
}

async function poison(filter: Filter, mails: readonly Mail[]): Promise<Promotion> {
  const file = await upload(filter.client, flipped(mails, 0.3, 1));
  await putPolicy(filter, { files: [file] });
  const { turn } = await begin(filter);
  const promotion = await settled(filter, turn);
  tell(outcomeOf(promotion));
  if (promotion.status !== "rejected") throw new Error("A poisoned batch was not stopped");
  return promotion;
}

async function spoil(filter: Filter, mails: readonly Mail[]): Promise<Promotion> {
  await putPolicy(filter, { hyperparameters: { n_epochs: 1, learning_rate_multiplier: 0.02 } });
  await use(filter.client, `fn:${name}`, mails, 99);
  const { turn } = await begin(filter);
  const promotion = await settled(filter, turn);
  tell(outcomeOf(promotion));
  if (promotion.status !== "rejected") throw new Error("A worse candidate was not stopped");
  return promotion;
}

export async function flywheel(): Promise<number> {
  mkdirSync(directory, { recursive: true });
  const state = join(directory, "flywheel");
  // Turns are counted from the first: nothing of an earlier run is to be there.
  rmSync(state, { recursive: true, force: true });
  // What waits is looked at again each second, so that the demo waits for little.
  Object.assign(process.env, {
    MILLRACE_SWEEP_SECONDS: "1",
    MILLRACE_POLL_SECONDS: "0.2",
    MILLRACE_LOG_LEVEL: "error",
  });
  console.log("Millrace demo: a spam filter that learns from its users, on this machine. Ctrl-C stops it.");
  if ((await withMillrace(state, demo)) === "done") return 0;
  console.log("\nStopped.");
  return 130;
}
