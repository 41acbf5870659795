/**
 * Which bytes may follow, by a grammar: the sets of all places the text so far may have reached, made as they are
 * needed and kept, so that each is made once.
 */
import type { Rule } from "./rules.ts";

/** What is still to come: a rule, and what comes behind it. `done`: how often a repeated rule was met. */
interface Rest {
  readonly id: number;
  readonly rule: Rule;
  readonly done: number;
  readonly behind: Rest | null;
}

export interface State {
  /** Whether the text may end here. */
  readonly isEnd: boolean;
  /** Whether anything may follow. */
  readonly goesOn: boolean;
  readonly rests: readonly Rest[];
  /** By byte: what it leads to, null where it may not come, undefined where nobody has asked. */
  readonly next: (State | null | undefined)[];
}

// Texts of unusual depth must not fill the memory: what is known is forgotten, and found out again.
const mostStates = 10_000;

export class Automaton {
  readonly #rule: Rule;
  readonly #ruleIds = new Map<Rule, number>();
  readonly #rests = new Map<string, Rest>();
  readonly #states = new Map<string, State>();
  #start: State | undefined;
  // Not the number of those kept: what was forgotten may still be in use.
  #made = 0;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  get start(): State {
    if (this.#states.size > mostStates) this.forget();
    this.#start ??= this.#state([this.#rest(this.#rule, 0, null)]);
    return this.#start;
  }

  /** Lets go of all states; those in use stay valid. */
  forget(): void {
    this.#states.clear();
    this.#rests.clear();
    this.#start = undefined;
  }

  /** Null where the byte may not follow. */
  next(state: State, byte: number): State | null {
    const known = state.next[byte];
    if (known !== undefined) return known;
    const reached = state.rests.filter(({ rule }) => rule.kind === "byte" && rule.set[byte] === 1);
    const next = reached.length === 0 ? null : this.#state(reached.map(({ behind }) => behind));
    state.next[byte] = next;
    return next;
  }

  /** Opens rules until each begins with a byte. */
  #state(open: readonly (Rest | null)[]): State {
    const [seen, rests] = [new Set<number>(), [] as Rest[]];
    let isEnd = false;
    for (const waiting = [...open]; waiting.length > 0; ) {
      const rest = waiting.pop()!;
      isEnd ||= rest === null;
      if (rest === null || seen.has(rest.id)) continue;
      seen.add(rest.id);
      if (rest.rule.kind === "byte") rests.push(rest);
      else waiting.push(...this.#opened(rest));
    }
    rests.sort((a, b) => a.id - b.id);
    const key = `${isEnd}:${rests.map(({ id }) => id).join()}`;
    const known = this.#states.get(key);
    if (known) return known;
    // Of full length from the start: a list that is filled here and there would be kept as a table, and be slow.
    const next = Array<State | null | undefined>(256).fill(undefined);
    const state: State = { isEnd, goesOn: rests.length > 0, rests, next };
    this.#states.set(key, state);
    return state;
  }

  #opened({ rule, done, behind }: Rest): (Rest | null)[] {
    switch (rule.kind) {
      case "sequence":
        return [rule.rules.reduceRight<Rest | null>((rest, part) => this.#rest(part, 0, rest), behind)];
      case "choice":
        return rule.rules.map((branch) => this.#rest(branch, 0, behind));
      case "reference":
        return [this.#rest(rule.rule(), 0, behind)];
      case "repeat":
        return this.#repeated(rule, done, behind);
      case "byte":
        return [];
    }
  }

  #repeated(rule: Rule & { kind: "repeat" }, done: number, behind: Rest | null): (Rest | null)[] {
    const { least, most } = rule;
    // Beyond what must and may be counted, one time is like another.
    const counted = most === Number.POSITIVE_INFINITY ? Math.min(done + 1, least) : done + 1;
    const again = () => this.#rest(rule.rule, 0, this.#rest(rule, counted, behind));
    return [...(done >= least ? [behind] : []), ...(done < most ? [again()] : [])];
  }

  #rest(rule: Rule, done: number, behind: Rest | null): Rest {
    const ruleId = this.#ruleIds.get(rule) ?? this.#ruleIds.size;
    this.#ruleIds.set(rule, ruleId);
    const key = `${ruleId}:${done}:${behind?.id ?? ""}`;
    const known = this.#rests.get(key);
    if (known) return known;
    const rest = { id: this.#made++, rule, done, behind };
    this.#rests.set(key, rest);
    return rest;
  }
}
