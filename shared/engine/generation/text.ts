/** From tokens to text as they come: whole characters only, and nothing of a stop sequence. */
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { GeneratedToken, GeneratedTokens } from "./generator.ts";

// How many tokens of the prompt a tokenizer sees before the first new one: some set a space by what stands before.
const context = 4;
const replacement = "\uFFFD";

/** The text of tokens that come one after another, each character once it is complete. */
export class TextDecoder {
  readonly #tokenizer: Tokenizer;
  #ids: number[];
  /** How many of `#ids` have been told as text. */
  #told: number;

  constructor(tokenizer: Tokenizer, prompt: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#ids = prompt.slice(-context);
    this.#told = this.#ids.length;
  }

  /** What a further token adds; nothing while a character is incomplete. */
  push(id: number): string {
    this.#ids.push(id);
    const added = this.#added();
    if (added === "" || added.endsWith(replacement)) return "";
    // Those told last stay as the context of the next.
    this.#ids = this.#ids.slice(this.#told);
    this.#told = this.#ids.length;
    return added;
  }

  /** What is left: a character that was never completed, as U+FFFD. */
  end(): string {
    const added = this.#added();
    this.#told = this.#ids.length;
    return added;
  }

  #added(): string {
    const before = this.#tokenizer.decode(this.#ids.slice(0, this.#told));
    const all = this.#tokenizer.decode(this.#ids);
    // A prompt may end within a character.
    const known = all.startsWith(before) ? before.length : before.replace(/\uFFFD+$/, "").length;
    return all.slice(known);
  }
}

/** Holds text back for as long as it may turn out to be the beginning of a stop sequence. */
export class StopFilter {
  readonly #stops: readonly string[];
  #held = "";
  #stopped = false;

  /** Throws RangeError for an empty sequence. */
  constructor(stops: readonly string[]) {
    if (stops.includes("")) throw new RangeError("a stop sequence must not be empty");
    this.#stops = stops;
  }

  /** Whether a sequence was met; nothing comes after. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** What of the text so far may be told. */
  push(text: string): string {
    if (this.#stopped) return "";
    const all = this.#held + text;
    const found = this.#stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0);
    this.#stopped = found.length > 0;
    const told = this.#stopped ? Math.min(...found) : all.length - this.#suspect(all);
    this.#held = this.#stopped ? "" : all.slice(told);
    return all.slice(0, told);
  }

  /** What was held back, as nothing follows. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** The length of the longest end of a text that begins a stop sequence. */
  #suspect(text: string): number {
    const longest = Math.max(0, ...this.#stops.map(({ length }) => length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      if (this.#stops.some((stop) => stop.startsWith(text.slice(-length)))) return length;
    }
    return 0;
  }
}

export interface GeneratedText {
  readonly text: string;
  /** The tokens read for it, those of text held back or cut off included. */
  readonly tokens: readonly GeneratedToken[];
  /** Of the last piece alone. */
  readonly finishReason?: "stop" | "length";
}

export interface TextOptions {
  readonly tokenizer: Tokenizer;
  /** The ids that came before. */
  readonly prompt: readonly number[];
  /** Sequences that end the text, and are no part of it. */
  readonly stop?: readonly string[] | undefined;
}

/** The text of a generator's tokens, as it comes. Where a stop sequence is met the generator is told to end. */
export async function* textOf(
  generated: AsyncIterable<GeneratedTokens>,
  { tokenizer, prompt, stop = [] }: TextOptions,
): AsyncGenerator<GeneratedText> {
  const [decoder, filter] = [new TextDecoder(tokenizer, prompt), new StopFilter(stop)];
  for await (const { tokens, finishReason } of generated) {
    const read: GeneratedToken[] = [];
    let text = "";
    for (const token of tokens) {
      read.push(token);
      text += filter.push(decoder.push(token.id));
      if (filter.stopped) break;
    }
    if (finishReason && !filter.stopped) text += filter.push(decoder.end());
    if (finishReason) text += filter.end();
    const reason = filter.stopped ? "stop" : finishReason;
    yield reason ? { text, tokens: read, finishReason: reason } : { text, tokens: read };
    if (filter.stopped) return;
  }
}
