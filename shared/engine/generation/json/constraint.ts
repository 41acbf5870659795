/** Texts held to JSON: what may be written next, as the masks of tokens that a generator asks for. */
import { Automaton, type State } from "./automaton.ts";
import { maskOf, type Spellings, spellings, type TokenBytes } from "./masks.ts";
import { schemaRule } from "./schema.ts";
import { object } from "./values.ts";

/** Any object, or what fits a schema. */
export type JsonFormat = { readonly type: "object" } | { readonly type: "schema"; readonly schema: unknown };

/** For one text: see `SamplingSettings.allowed`. */
export type Allowed = (written: readonly number[]) => Uint8Array | undefined;

const mostFormats = 32;
const mostMaskBytes = 64 * 1024 * 1024;

/** All formats of one vocabulary; what was found out for one text is there for the next. */
export class JsonConstraints {
  readonly #tokens: TokenBytes;
  readonly #spelt: Spellings;
  readonly #automata = new Map<string, Automaton>();
  #masks = new WeakMap<State, Uint8Array>();
  #maskBytes = 0;

  /** Throws TypeError where the tokens cannot write JSON. */
  constructor(tokens: TokenBytes) {
    this.#tokens = tokens;
    this.#spelt = spellings(tokens);
  }

  /** `endTokens` may come where the text is whole. Throws JsonSchemaError. */
  start(format: JsonFormat, endTokens: readonly number[]): Allowed {
    const automaton = this.#automaton(format);
    let [state, read] = [automaton.start, 0];
    return (written) => {
      for (; read < written.length; read++) state = this.#after(automaton, state, written[read]!);
      if (!state.goesOn) return undefined;
      const mask = this.#mask(automaton, state);
      if (!state.isEnd) return mask;
      const ending = mask.slice();
      for (const id of endTokens) ending[id] = 1;
      return ending;
    };
  }

  #automaton(format: JsonFormat): Automaton {
    const key = format.type === "object" ? "" : JSON.stringify(format.schema);
    const automaton = this.#automata.get(key) ?? new Automaton(formatRule(format));
    // The least recently used is the first.
    this.#automata.delete(key);
    this.#automata.set(key, automaton);
    if (this.#automata.size > mostFormats) this.#automata.delete(this.#automata.keys().next().value!);
    return automaton;
  }

  #after(automaton: Automaton, state: State, token: number): State {
    let after: State | null = state;
    for (const byte of this.#tokens[token]!) after = after && automaton.next(after, byte);
    if (!after) throw new Error(`token ${token} was written where it was not allowed`);
    return after;
  }

  #mask(automaton: Automaton, state: State): Uint8Array {
    const known = this.#masks.get(state);
    if (known) return known;
    const mask = maskOf(automaton, state, this.#spelt, this.#tokens.length);
    this.#maskBytes += mask.length;
    if (this.#maskBytes > mostMaskBytes) [this.#masks, this.#maskBytes] = [new WeakMap(), mask.length];
    this.#masks.set(state, mask);
    return mask;
  }
}

/** Throws JsonSchemaError, also for a schema that nothing fits. */
export function formatRule(format: JsonFormat) {
  return format.type === "object" ? object : schemaRule(format.schema);
}
