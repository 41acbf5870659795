/** What clients were told while things broke: every request they sent, and everything that was acknowledged to them. */
import { inferenceIdOf } from "../../shared/ids.ts";
import { inferenceRequest } from "./reliabilityPaths.ts";

export interface Player {
  /** Stands in each of the project's labels, and in nothing of another's. */
  marker: string;
  project: string;
  organization: string;
}

/** One request over HTTP, of which an SDK may send several for one call. */
export interface Attempt {
  marker: string;
  method: string;
  path: string;
  /** Null: no answer came, or not to its end. */
  status: number | null;
  requestId: string | null;
  /** Answered by the bucket, to which the API had sent the client: it knows no request ids of ours, and no logs. */
  byBucket?: boolean;
}

export interface AnsweredInference {
  id: string;
  marker: string;
  model: string;
  input_tokens: number;
  output_tokens: number;
}

export type Noun = "file" | "job" | "batch" | "eval_run" | "version" | "feedback" | "alias_move";

/** Something that a client was told is there. */
export interface Entry {
  noun: Noun;
  marker: string;
  id: string;
  /** What was acknowledged with it, by which it is known again. */
  content: Record<string, unknown>;
  /** A deletion that was asked for, and acknowledged. */
  deleted?: "asked" | "done";
}

const idPattern =
  /\b(?:file-|ftjob-|ftckpt_|ftevent-|batch_req_|batch_|evalrun_|eval_|outputitem_|dsv_|feedback_|whe_|key_|proj_|req_|chatcmpl-)[0-9a-hjkmnp-tv-z]{26}\b/g;

export class Ledger {
  readonly attempts: Attempt[] = [];
  readonly inferences = new Map<string, AnsweredInference>();
  readonly entries: Entry[] = [];
  /** What another project's answer or event showed. */
  readonly crossed: string[] = [];
  /** What should not have been answered so, as it was told. */
  readonly wrong: string[] = [];
  /** Calls of clients that ended without an acknowledgement, by what was to be made. */
  readonly unacknowledged = new Map<string, number>();
  readonly #owners = new Map<string, string>();
  readonly #markers: string[];

  constructor(players: readonly Player[]) {
    this.#markers = players.map(({ marker }) => marker);
    for (const { marker, project } of players) this.#owners.set(project, marker);
  }

  add(noun: Noun, { marker }: Pick<Player, "marker">, id: string, content: Entry["content"] = {}): Entry {
    const entry: Entry = { noun, marker, id, content };
    this.entries.push(entry);
    return entry;
  }

  of(noun: Noun, marker?: string): Entry[] {
    return this.entries.filter((entry) => entry.noun === noun && (marker === undefined || entry.marker === marker));
  }

  fail(noun: string, marker: string): void {
    const name = `${noun} of ${marker}`;
    this.unacknowledged.set(name, (this.unacknowledged.get(name) ?? 0) + 1);
  }

  failed(noun: string, marker: string): number {
    return this.unacknowledged.get(`${noun} of ${marker}`) ?? 0;
  }

  /** Whose answer it was, and what it said: an id belongs to whoever was shown it first. */
  inspect(marker: string, text: string, where: string): void {
    for (const other of this.#markers) {
      if (other !== marker && text.includes(other)) this.crossed.push(`${where} showed ${marker} a text of ${other}`);
    }
    for (const [id] of text.matchAll(idPattern)) {
      const owner = this.#owners.get(id) ?? marker;
      this.#owners.set(id, owner);
      if (owner !== marker) this.crossed.push(`${where} showed ${marker} ${id} of ${owner}`);
    }
  }

  /** An answer that came to its end. */
  hear(attempt: Attempt & { status: number }, text: string): void {
    // A stream that fails says so in its last event; one that breaks off has no end.
    const isStream = text.startsWith("data:");
    const isBroken = isStream && (!text.includes("data: [DONE]") || text.includes('data: {"error":'));
    this.attempts.push(isBroken ? { ...attempt, status: null } : attempt);
    const { marker, status, requestId, path } = attempt;
    if (isBroken) return;
    if (status < 400) this.inspect(marker, text, `${attempt.method} ${path}`);
    if (status >= 400 || requestId === null || !inferenceRequest(attempt)) return;
    const body = bodyOf(text);
    const { model = "", usage = {} } = body;
    const { prompt_tokens, completion_tokens, input_tokens, output_tokens } = usage;
    const tokens = {
      input_tokens: input_tokens ?? prompt_tokens ?? 0,
      output_tokens: output_tokens ?? completion_tokens ?? 0,
    };
    if (this.inferences.has(requestId)) this.wrong.push(`two answers bear the id ${requestId}`);
    if (body.id !== undefined && inferenceIdOf(body.id) !== undefined && inferenceIdOf(body.id) !== requestId)
      this.wrong.push(`the answer ${body.id} bears the id ${requestId}`);
    this.inferences.set(requestId, { id: requestId, marker, model, ...tokens });
  }
}

interface AnswerBody {
  id?: string;
  model?: string;
  usage?: { prompt_tokens?: number; completion_tokens?: number; input_tokens?: number; output_tokens?: number };
}

function bodyOf(text: string): AnswerBody {
  try {
    return JSON.parse(text) as AnswerBody;
  } catch {
    return {};
  }
}
