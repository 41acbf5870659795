/** Formulas over scores, such as `0.7 * exact + 0.3 * max(a, b)`: parsed to a function; nothing else can be said in them. */
import { RuleError } from "./ruleError.ts";

export interface Formula {
  /** Names of scores, in no order. */
  names: readonly string[];
  /** Throws RuleError where the result is no finite number. */
  evaluate(scores: Readonly<Record<string, number>>): number;
}

type Value = (scores: Readonly<Record<string, number>>) => number;

const functions: Record<string, { takes: [number, number]; of: (...values: number[]) => number }> = {
  min: { takes: [1, 100], of: Math.min },
  max: { takes: [1, 100], of: Math.max },
  abs: { takes: [1, 1], of: Math.abs },
  floor: { takes: [1, 1], of: Math.floor },
  ceil: { takes: [1, 1], of: Math.ceil },
  exp: { takes: [1, 1], of: Math.exp },
  sqrt: { takes: [1, 1], of: Math.sqrt },
  log: { takes: [1, 1], of: Math.log },
};

/** By how tightly they bind; within a level from the left. */
const levels: ReadonlyMap<string | undefined, (a: number, b: number) => number>[] = [
  new Map([
    ["+", (a, b) => a + b],
    ["-", (a, b) => a - b],
  ]),
  new Map([
    ["*", (a, b) => a * b],
    ["/", (a, b) => a / b],
  ]),
];

const token = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),]))/y;
/** Deeper brackets would be a try at the stack. */
const mostDepth = 50;

/** Throws RuleError saying where it cannot be read. */
export function parseFormula(text: string): Formula {
  const parser = new Parser(text);
  const value = parser.whole();
  return {
    names: [...parser.names],
    evaluate(scores) {
      const result = value(scores);
      if (Number.isFinite(result)) return result;
      throw new RuleError("invalid_score", `calculate_output is ${result}, which is no score.`);
    },
  };
}

class Parser {
  readonly names = new Set<string>();
  readonly #tokens: string[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  whole(): Value {
    const value = this.#level(0);
    if (this.#peek() !== undefined) throw this.#unexpected();
    return value;
  }

  #level(level: number): Value {
    const operators = levels[level];
    if (!operators) return this.#signed();
    let left = this.#level(level + 1);
    for (let apply = operators.get(this.#peek()); apply; apply = operators.get(this.#peek())) {
      this.#next++;
      const [first, second, of] = [left, this.#level(level + 1), apply];
      left = (scores) => of(first(scores), second(scores));
    }
    return left;
  }

  #signed(): Value {
    if (!this.#takes("-")) return this.#takes("+") ? this.#nested(() => this.#signed()) : this.#power();
    const value = this.#nested(() => this.#signed());
    return (scores) => -value(scores);
  }

  /** Binds tighter than a sign before it, and to the right. */
  #power(): Value {
    const base = this.#atom();
    if (!this.#takes("^") && !this.#takes("**")) return base;
    const exponent = this.#nested(() => this.#signed());
    return (scores) => base(scores) ** exponent(scores);
  }

  #atom(): Value {
    const found = this.#peek() ?? "";
    if (/^[\d.]/.test(found)) {
      this.#next++;
      return () => Number(found);
    }
    if (/^[A-Za-z_]/.test(found)) {
      this.#next++;
      return this.#peek() === "(" ? this.#call(found) : this.#score(found);
    }
    if (!this.#takes("(")) throw this.#unexpected();
    const inner = this.#nested(() => this.#level(0));
    this.#expect(")");
    return inner;
  }

  #score(name: string): Value {
    this.names.add(name);
    return (scores) => scores[name]!;
  }

  #call(name: string): Value {
    const known = Object.hasOwn(functions, name) ? functions[name]! : undefined;
    if (!known) throw refuse(`'${name}' is no function: there are ${Object.keys(functions).join(", ")}`);
    this.#expect("(");
    const values = [this.#nested(() => this.#level(0))];
    while (this.#takes(",")) values.push(this.#nested(() => this.#level(0)));
    this.#expect(")");
    const [least, most] = known.takes;
    if (values.length < least || values.length > most) throw refuse(`'${name}' does not take ${values.length} values`);
    return (scores) => known.of(...values.map((value) => value(scores)));
  }

  #nested(read: () => Value): Value {
    if (++this.#depth > mostDepth) throw refuse("it is nested too deeply");
    const value = read();
    this.#depth--;
    return value;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #takes(wanted: string): boolean {
    if (this.#peek() !== wanted) return false;
    this.#next++;
    return true;
  }

  #expect(wanted: string): void {
    if (!this.#takes(wanted)) throw this.#unexpected(`, where '${wanted}' should be`);
  }

  #unexpected(instead = ""): RuleError {
    const found = this.#peek();
    return refuse(found === undefined ? `it ends too early${instead}` : `'${found}' stands out of place${instead}`);
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length) {
    const from = token.lastIndex;
    const found = token.exec(trimmed);
    if (!found) throw refuse(`'${trimmed.slice(from).trim().slice(0, 20)}' cannot be read`);
    tokens.push((found[1] ?? found[2] ?? found[3])!);
  }
  return tokens;
}

const refuse = (why: string) => new RuleError("invalid_formula", `The formula cannot be read: ${why}.`);
