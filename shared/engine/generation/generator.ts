/**
 * Continuous batching: requests join and leave between calls, and each call writes several tokens for all of them. A
 * call blocks this process's event loop while it computes: a generator belongs in a device process.
 */
import { setImmediate } from "node:timers/promises";
import type { Tensor } from "../dataTypes.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { type Pretrained, weightsFor } from "../models/pretrained.ts";
import type { Precision } from "../quantization/precision.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/session.ts";
import { TextCache } from "./cache.ts";
import { decoder, decoderModel, type Feeds } from "./decoder.ts";
import { type CheckedSettings, checkSettings, maskOf, type SamplingSettings, samplingFeeds } from "./settings.ts";
import { TokenStream } from "./tokenStream.ts";

export interface GenerationRequest extends SamplingSettings {
  /** Token ids, at least one. */
  readonly prompt: readonly number[];
  /** Default: as many as the model's positions allow. */
  readonly maxTokens?: number | undefined;
  /** Ends the text early; its iterator then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface TokenProbability {
  readonly id: number;
  /** Natural logarithm, by the model's own distribution. */
  readonly logProbability: number;
}

export interface GeneratedToken extends TokenProbability {
  /** As many of the likeliest tokens as were asked for, the likeliest first. */
  readonly top: readonly TokenProbability[];
}

export interface GeneratedTokens {
  /** Without the end token. */
  readonly tokens: readonly GeneratedToken[];
  /** Only of the last ones: an end token or a constraint met in full, or the length. */
  readonly finishReason?: "stop" | "length";
}

export interface GeneratorOptions extends SessionOptions {
  /** What adapters make of the scope; see `feeds`. */
  readonly scope?: WeightScope;
  /** The inputs that adapters read, for the requests of a call in their order. */
  readonly feeds?: (requests: readonly GenerationRequest[]) => Feeds;
  /** Data of the scope's further parameters. */
  readonly initializers?: Readonly<Record<string, Float32Array>>;
  /** How many tokens a call writes for each text. Default 8. */
  readonly tokensPerCall?: number;
  /** The most keys and values may take. Default 256 MiB. */
  readonly cacheBytes?: number;
  /** Of the base's own matrices. Default "float32". */
  readonly precision?: Precision;
  /** The most texts at once. Default 32. */
  readonly maxRows?: number;
  /** The most tokens of a prompt read in one call. Default 256. */
  readonly promptChunk?: number;
  /** Runs a call when it is its turn, where other sessions share the device. Default: at once. */
  readonly inTurn?: <Result>(call: () => Promise<Result>) => Promise<Result>;
}

type GeneratorSettings = Required<
  Pick<GeneratorOptions, "tokensPerCall" | "maxRows" | "promptChunk" | "feeds" | "inTurn">
>;

interface Row {
  readonly request: GenerationRequest;
  readonly settings: CheckedSettings;
  readonly stream: TokenStream<GeneratedTokens>;
  readonly maxTokens: number;
  readonly written: number[];
  mask: Uint8Array | undefined;
  cancelled: boolean;
}

export class Generator {
  readonly #session: Session;
  readonly #model: Pretrained["model"];
  readonly #cache: TextCache;
  readonly #options: GeneratorSettings;
  /** In the order of the cache's rows. */
  readonly #rows: Row[] = [];
  readonly #waiting: Row[] = [];
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(session: Session, model: Pretrained["model"], options: GeneratorOptions) {
    const { tokensPerCall = 8, cacheBytes = 2 ** 28, maxRows = 32, promptChunk = 256, feeds = () => ({}) } = options;
    this.#session = session;
    this.#model = model;
    this.#cache = new TextCache({ layers: model.layers, layout: model.memory!, bytes: cacheBytes });
    const { inTurn = (call) => call() } = options;
    this.#options = { tokensPerCall, maxRows, promptChunk, feeds, inTurn };
  }

  /** Throws TypeError for a model that is not causal, CheckpointError for weights that do not fit it. */
  static async start(pretrained: Pretrained, options: GeneratorOptions = {}): Promise<Generator> {
    const built = decoder(pretrained.model, options.scope);
    const { initializers = {} } = options;
    const own = built.scope.parameters.filter(({ name }) => !Object.hasOwn(initializers, name!));
    const weights = { ...weightsFor(pretrained, own), ...initializers };
    const model = decoderModel(built, weights, options.precision);
    return new Generator(await createSession(model, options), pretrained.model, options);
  }

  /** Texts being written, and those that wait for room. */
  get load(): { readonly active: number; readonly waiting: number } {
    return { active: this.#rows.length, waiting: this.#waiting.length };
  }

  /** The tokens that follow a prompt, a few at a time. Throws RangeError naming the setting that cannot be met. */
  generate(request: GenerationRequest): AsyncIterableIterator<GeneratedTokens> {
    const { maxPositions, vocabulary } = this.#model;
    const { prompt, signal } = request;
    const settings = checkSettings(request, vocabulary);
    const wrong = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
    if (wrong !== undefined) throw new RangeError(`prompt holds ${wrong}, which is no token of ${vocabulary}`);
    const room = maxPositions - prompt.length;
    if (prompt.length === 0 || room < 1)
      throw new RangeError(`prompt has ${prompt.length} tokens, not 1 to ${maxPositions - 1}`);
    const { maxTokens = room } = request;
    if (!Number.isInteger(maxTokens) || maxTokens < 1)
      throw new RangeError(`maxTokens must be positive, not ${maxTokens}`);
    signal?.throwIfAborted();
    if (this.#closing) throw new Error("the generator was closed");
    const stream = new TokenStream<GeneratedTokens>({ onCancel: () => (row.cancelled = true) });
    const row: Row = {
      request,
      settings,
      stream,
      maxTokens: Math.min(maxTokens, room),
      written: [],
      mask: undefined,
      cancelled: false,
    };
    if (!this.#cache.fits(1, reserved(row))) {
      throw new RangeError(`the cache holds ${this.#cache.capacity} tokens, fewer than prompt and maxTokens need`);
    }
    this.#waiting.push(row);
    this.#running ??= this.#run()
      .catch((cause) => this.#failAll(cause))
      .finally(() => (this.#running = undefined));
    return stream;
  }

  /** Cancels all that runs, and frees the session. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    for (const row of [...this.#rows, ...this.#waiting]) {
      row.cancelled = true;
      row.stream.end({ cause: new Error("the generator was closed") });
    }
    await this.#running;
    await this.#session.release();
  }

  #failAll(cause: unknown): void {
    this.#fail([...this.#rows], cause);
    for (const { stream } of this.#waiting.splice(0, Infinity)) stream.end({ cause });
  }

  async #run(): Promise<void> {
    for (;;) {
      // Between calls others have their turn: to join, to read, to cancel.
      await setImmediate();
      this.#dropCancelled();
      for (let row = this.#admitted(); row; row = this.#admitted()) await this.#readPrompt(row);
      if (this.#rows.length === 0 && this.#waiting.length === 0) return;
      if (this.#rows.length > 0) await this.#decode();
    }
  }

  #dropCancelled(): void {
    for (const list of [this.#rows, this.#waiting]) {
      for (const row of list) {
        if (!row.request.signal?.aborted || row.cancelled) continue;
        row.cancelled = true;
        row.stream.end({ cause: row.request.signal.reason });
      }
    }
    for (const row of this.#rows.filter(({ cancelled }) => cancelled)) this.#leave(row);
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(({ cancelled }) => !cancelled));
  }

  /** The next request that fits beside the others, whatever length each of them comes to. */
  #admitted(): Row | undefined {
    const next = this.#waiting[0];
    const rows = this.#rows.length + 1;
    if (!next || rows > this.#options.maxRows) return undefined;
    if (!this.#cache.fits(rows, Math.max(...[...this.#rows, next].map(reserved)))) return undefined;
    return this.#waiting.shift();
  }

  /** A prompt is read alone, so that its numbers do not depend on what else there is; the last part writes a token. */
  async #readPrompt(row: Row): Promise<void> {
    const at = this.#cache.add();
    this.#rows.push(row);
    if (!this.#readConstraint(row)) return;
    const { prompt } = row.request;
    const chunk = this.#options.promptChunk;
    for (let from = 0; from < prompt.length; from += chunk) {
      const tokens = prompt.slice(from, from + chunk);
      const outputs = await this.#call([row], { from: at, steps: 1, tokens });
      if (!outputs) return;
      this.#cache.append(at, { outputs, row: 0, count: tokens.length });
      if (from + chunk >= prompt.length) this.#deliver(row, outputs, 0);
    }
  }

  async #decode(): Promise<void> {
    for (const row of [...this.#rows]) this.#readConstraint(row);
    const rows = [...this.#rows];
    if (rows.length === 0) return;
    const steps = rows.some(({ settings }) => settings.allowed) ? 1 : this.#options.tokensPerCall;
    const outputs = await this.#call(rows, { from: 0, steps, tokens: rows.map(({ written }) => written.at(-1)!) });
    if (!outputs) return;
    for (const [i, row] of rows.entries())
      this.#cache.append(i, { outputs, row: i, count: this.#taken(row, outputs, i) });
    for (const [i, row] of rows.entries()) this.#deliver(row, outputs, i);
  }

  /** Whether a row goes on: not where its constraint is met in full, nor where it could not be told; then only it fails. */
  #readConstraint(row: Row): boolean {
    try {
      row.mask = maskOf(row, this.#model.vocabulary);
    } catch (cause) {
      this.#fail([row], cause);
      return false;
    }
    if (!row.settings.allowed || row.mask) return true;
    if (!row.cancelled) row.stream.push({ tokens: [], finishReason: "stop" });
    row.stream.end();
    this.#leave(row);
    return false;
  }

  #fail(rows: readonly Row[], cause: unknown): void {
    for (const row of rows) {
      row.stream.end({ cause });
      this.#leave(row);
    }
  }

  /** The results for some rows in a row; where the call fails, so do they, and nothing else. */
  async #call(
    rows: readonly Row[],
    { from, steps, tokens }: { from: number; steps: number; tokens: readonly number[] },
  ): Promise<Record<string, Tensor> | undefined> {
    const ints = (values: readonly number[], width = 1): Tensor => ({
      shape: [rows.length, width],
      data: Int32Array.from(values),
    });
    const fresh = tokens.length / rows.length;
    const ends = Math.max(...rows.map(({ settings }) => settings.endTokens.length));
    try {
      const feeds = {
        ...samplingFeeds(rows, this.#model.vocabulary),
        ...this.#cache.feeds(from, from + rows.length),
        ...this.#options.feeds(rows.map(({ request }) => request)),
        input_ids: ints(tokens, fresh),
        count: ints(rows.map(() => fresh)),
        start: ints(rows.map((_, i) => this.#cache.length(from + i))),
        room: ints(rows.map(({ maxTokens, written }) => maxTokens - written.length)),
        ends: ints(
          rows.flatMap(({ settings: { endTokens } }) => [...endTokens, ...filling(ends - endTokens.length)]),
          ends,
        ),
        steps: { shape: [], data: BigInt64Array.of(BigInt(steps)) },
      };
      return await this.#options.inTurn(() => this.#session.run(feeds));
    } catch (cause) {
      this.#fail(rows, cause);
      return undefined;
    }
  }

  /** How many tokens of a call count for a row: up to its end token or its length. */
  #taken({ settings, maxTokens, written }: Row, { token }: Record<string, Tensor>, at: number): number {
    const [steps, rows] = token!.shape as [number, number, number];
    const room = Math.min(steps, maxTokens - written.length);
    for (let step = 0; step < room; step++) {
      if (settings.endTokens.includes(Number(token!.data[step * rows + at]))) return step + 1;
    }
    return room;
  }

  #deliver(row: Row, outputs: Record<string, Tensor>, at: number): void {
    const all = Array.from({ length: this.#taken(row, outputs, at) }, (_, step) => readToken(outputs, step, at, row));
    row.written.push(...all.map(({ id }) => id));
    const stopped = row.settings.endTokens.includes(all.at(-1)!.id);
    const tokens = stopped ? all.slice(0, -1) : all;
    const finished = stopped || row.written.length >= row.maxTokens;
    if (!row.cancelled) row.stream.push(finished ? { tokens, finishReason: stopped ? "stop" : "length" } : { tokens });
    if (!finished) return;
    row.stream.end();
    this.#leave(row);
  }

  #leave(row: Row): void {
    const at = this.#rows.indexOf(row);
    this.#cache.remove(at);
    const last = this.#rows.pop()!;
    if (last !== row) this.#rows[at] = last;
  }
}

/** The tokens a row may come to. */
const reserved = ({ request, maxTokens }: Row) => request.prompt.length + maxTokens;
// No token has this number.
const filling = (count: number) => Array<number>(count).fill(-1);

function readToken(outputs: Record<string, Tensor>, step: number, at: number, { settings }: Row): GeneratedToken {
  const { token, log_probability: logs, top_token: others, top_log_probability: theirs } = outputs;
  const [, rows, width] = others!.shape as [number, number, number];
  const place = step * rows + at;
  const top = Array.from({ length: settings.topLogProbabilities }, (_, i) => ({
    id: Number(others!.data[place * width + i]),
    logProbability: Number(theirs!.data[place * width + i]),
  }));
  return { id: Number(token!.data[place]), logProbability: Number(logs!.data[place]), top };
}
