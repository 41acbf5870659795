/** What a project's client does all the time: a mixture of everything, one thing after the other, by seed. */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import OpenAI from "openai";
import { jsonl } from "../support/trainingData.ts";
import { answerActions } from "./reliabilityAnswers.ts";
import type { Entry } from "./reliabilityLedger.ts";
import { type Action, pickFrom, rowsFor, type Session, upload } from "./reliabilitySession.ts";
import { workActions } from "./reliabilityWork.ts";

/** Larger than one part of an upload. */
const largeBytes = 9 * 1024 * 1024;
const here = (session: Session, purpose: string) =>
  session.ledger
    .of("file", session.marker)
    .filter(({ deleted, content }) => deleted === undefined && content.purpose === purpose);

const fileActions: Record<string, Action> = {
  upload: {
    weight: 4,
    run: async (session) => void (await upload(session, jsonl(rowsFor(session, 12)), "fine-tune")),
  },
  uploadLarge: {
    weight: 0.15,
    async run(session) {
      const row = `${JSON.stringify({ text: "x".repeat(2000), label: `${session.marker}-billing` })}\n`;
      await upload(session, row.repeat(Math.ceil(largeBytes / row.length)), "fine-tune");
    },
  },
  readFile: {
    weight: 5,
    isPossible: (session) => here(session, "fine-tune").length > 0,
    async run(session) {
      const entry = pickFrom(session, here(session, "fine-tune"));
      await checkContent(session, entry);
    },
  },
  deleteFile: {
    weight: 1,
    isPossible: (session) => here(session, "batch").length > 3,
    // It may have been done, and not been heard of.
    refusals: [404],
    async run(session) {
      const entry = here(session, "batch")[0]!;
      entry.deleted = "asked";
      await session.client.files.delete(entry.id);
      entry.deleted = "done";
    },
  },
};

export async function checkContent(
  session: Pick<Session, "client" | "ledger" | "marker">,
  entry: Entry,
): Promise<void> {
  const { client, ledger } = session;
  const content = Buffer.from(await (await client.files.content(entry.id)).arrayBuffer());
  if (createHash("sha256").update(content).digest("hex") === entry.content.digest) return;
  ledger.wrong.push(`${entry.id} of ${entry.marker} has ${content.length} bytes that are not what was uploaded`);
}

const actions: Record<string, Action> = { ...fileActions, ...answerActions, ...workActions };

/** Until `isOver`; `think` is the mean time between two things in milliseconds. */
export async function play(session: Session, { isOver, think }: { isOver(): boolean; think: number }): Promise<void> {
  while (!isOver()) {
    const [name, action] = choose(session);
    await attempt(session, name, action);
    await pause(-Math.log(1 - session.random()) * think);
  }
}

function choose(session: Session): [string, Action] {
  const possible = Object.entries(actions).filter(([, { isPossible }]) => isPossible?.(session) ?? true);
  let left = session.random() * possible.reduce((sum, [, { weight }]) => sum + weight, 0);
  for (const one of possible) {
    left -= one[1].weight;
    if (left < 0) return one;
  }
  return possible[0]!;
}

/** A failure of ours is told by its request; a refusal of what was right is a fault. */
export async function attempt(session: Session, name: string, action: Action): Promise<void> {
  const { ledger, marker } = session;
  try {
    await action.run(session);
  } catch (error) {
    if (action.makes) ledger.fail(action.makes, marker);
    if (!(error instanceof OpenAI.APIError)) throw error;
    const { status = 0 } = error;
    // Too much at once, and what is still at work, are answers to a right request, too.
    const mayBe = [408, 409, 429, ...(action.refusals ?? [])];
    if (status >= 400 && status < 500 && !mayBe.includes(status))
      ledger.wrong.push(`${name} of ${marker} was refused: ${error.message}`);
    else ledger.fail(`${name} (${status || error.constructor.name})`, marker);
  }
}
