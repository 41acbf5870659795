/** The fields of a checkpoint's `config.json`, each read with a check that names it. */
import { shortened } from "../shortened.ts";

/** A checkpoint cannot be used; the message names the file, the field or the tensor. */
export class CheckpointError extends Error {
  override name = "CheckpointError";

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options);
  }
}

/** No model has as much of anything; more would only be memory that is asked for. */
const mostCount = 2 ** 26;
/** Each is built node by node. */
const mostLayers = 1024;

const longestShown = 200;

/** A value as a message names it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** A field that is absent or null takes the fallback, and is refused where there is none. */
export class CheckpointConfig {
  readonly file: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>, file = "config.json") {
    this.#values = values;
    this.file = file;
  }

  /** A whole number of at least 1. */
  count(name: string, fallback?: number, most = mostCount): number {
    const fits = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;
    const count = this.#read(name, "a positive integer", fits, fallback);
    if (count <= most) return count;
    throw new CheckpointError(`${this.file}: "${name}" must be at most ${most}, and is ${count}`);
  }

  /** How many layers there are. */
  layers(name: string): number {
    return this.count(name, undefined, mostLayers);
  }

  /** A finite number of at least 0. */
  number(name: string, fallback?: number): number {
    const fits = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
    return this.#read(name, "a number of at least 0", fits, fallback);
  }

  /** A finite number above 0. */
  positive(name: string, fallback?: number): number {
    const fits = (value: unknown): value is number => Number.isFinite(value) && (value as number) > 0;
    return this.#read(name, "a number above 0", fits, fallback);
  }

  flag(name: string, fallback?: boolean): boolean {
    return this.#read(name, "true or false", (value) => typeof value === "boolean", fallback);
  }

  isText(name: string): boolean {
    return typeof this.#values[name] === "string";
  }

  text(name: string, fallback?: string): string {
    return this.#read(name, "a string", (value) => typeof value === "string", fallback);
  }

  texts(name: string, fallback?: readonly string[]): readonly string[] {
    const fits = (value: unknown): value is readonly string[] =>
      Array.isArray(value) && value.every((item) => typeof item === "string");
    return this.#read(name, "a list of strings", fits, fallback);
  }

  /** The fields inside a field, or undefined where it is absent. Faults inside name both. */
  object(name: string): CheckpointConfig | undefined {
    if (!this.has(name)) return undefined;
    const fits = (value: unknown): value is Record<string, unknown> =>
      typeof value === "object" && !Array.isArray(value);
    return new CheckpointConfig(this.#read(name, "an object", fits, undefined), `${this.file}, "${name}"`);
  }

  /** One of a table's keys. */
  choice<Key extends string>(name: string, table: Readonly<Record<Key, unknown>>, fallback?: Key): Key {
    const fits = (value: unknown): value is Key => typeof value === "string" && Object.hasOwn(table, value);
    return this.#read(name, `one of ${Object.keys(table).join(", ")}`, fits, fallback);
  }

  /** Throws unless the value of one field is a multiple of another's. */
  requireMultiple(name: string, value: number, divisor: string, by: number): void {
    if (value % by === 0) return;
    throw new CheckpointError(`${this.file}: "${name}" ${value} is no multiple of "${divisor}" ${by}`);
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  /** Throws unless the field is absent, null, or one of the values this engine computes. */
  supportOnly(name: string, ...supported: readonly unknown[]): void {
    const value = this.#values[name];
    if (!this.has(name) || supported.some((known) => JSON.stringify(known) === JSON.stringify(value))) return;
    throw new CheckpointError(`${this.file}: "${name}" is ${shown(value)}, which is not supported`);
  }

  #read<T>(name: string, wanted: string, fits: (value: unknown) => value is T, fallback: T | undefined): T {
    const value = this.has(name) ? this.#values[name] : fallback;
    if (fits(value)) return value;
    const found = value === undefined ? "missing" : shown(value);
    throw new CheckpointError(`${this.file}: "${name}" must be ${wanted}, and is ${found}`);
  }
}
