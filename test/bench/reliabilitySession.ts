/** One client of one project at its work: who it is, what it has made, and what it can do. */
import { createHash } from "node:crypto";
import type OpenAI from "openai";
import { toFile } from "openai";
import { rowsOf } from "../support/trainingData.ts";
import type { Entry, Ledger, Noun, Player } from "./reliabilityLedger.ts";

export interface Session extends Player {
  client: OpenAI;
  /** Asks with the admin key of its organization. */
  admin<Answer>(path: string, query: Record<string, string | number>): Promise<Answer>;
  /** Keeps all that is said of each answer, so that feedback must find it. */
  isRecorded: boolean;
  ledger: Ledger;
  /** From 0 to less than 1. */
  random(): number;
  /** Models that jobs ended in. */
  models: string[];
  /** Ids of answers that feedback may be given on. */
  judged: string[];
  eval: string;
  /** Numbers what is made, so that no two are alike. */
  made: number;
}

export interface Action {
  weight: number;
  /** What it makes, for the count of calls that were not acknowledged. */
  makes?: Noun;
  isPossible?(session: Session): boolean;
  run(session: Session): Promise<void>;
  /** Statuses that a good request may be refused with, such as 409 of a job that has ended meanwhile. */
  refusals?: readonly number[];
}

export const labelsOf = ({ marker }: Player) => ["billing", "delivery", "account"].map((label) => `${marker}-${label}`);
export const pickFrom = <One>({ random }: Session, all: readonly One[]): One => all[Math.floor(random() * all.length)]!;
export const rowsFor = (session: Session, perLabel: number) =>
  rowsOf(perLabel).map(({ text, label }, row) => ({
    text: `${text} ${row === 0 ? session.made++ : ""}`,
    label: `${session.marker}-${label}`,
  }));

export async function upload(session: Session, text: string | Buffer, purpose: "fine-tune" | "batch"): Promise<Entry> {
  const { client, ledger } = session;
  const bytes = Buffer.from(text);
  try {
    const file = await client.files.create({ file: await toFile(bytes, `${session.marker}.jsonl`), purpose });
    const digest = createHash("sha256").update(bytes).digest("hex");
    return ledger.add("file", session, file.id, { digest, bytes: bytes.length, purpose });
  } catch (error) {
    ledger.fail("file", session.marker);
    throw error;
  }
}
