/** What a request may ask of sampling, checked, and as the decoder's inputs for a batch. */
import type { Tensor } from "../dataTypes.ts";
import { mixSeeds } from "../random.ts";
import type { Feeds } from "./decoder.ts";

export interface SamplingSettings {
  /** Default 1. Below 0.001 the likeliest token is taken, of equals the lowest. */
  readonly temperature?: number | undefined;
  /** The share of probability that the tokens drawn from make up, in (0, 1]; above 0.99999 all. Default 1. */
  readonly topP?: number | undefined;
  /** How many of the likeliest tokens are drawn from. Default: all. */
  readonly topK?: number | undefined;
  /** Same seed, same prompt: same tokens. An integer; chosen at random where absent. */
  readonly seed?: number | undefined;
  /** Taken from the logit of a token that was written before, and for each time it was. Default 0. */
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  /** Added to the logits of single tokens. */
  readonly logitBias?: ReadonlyMap<number, number> | undefined;
  /** How many of the likeliest tokens come with each token. Default 0. */
  readonly topLogProbabilities?: number | undefined;
  /** Tokens that end the text. Default: none. */
  readonly endTokens?: readonly number[] | undefined;
  /**
   * The tokens that may follow those written so far: one element for each of the vocabulary, 0 for a token that may
   * not; undefined where the text is complete, and ends. While a request that says so runs, every call takes one step.
   */
  readonly allowed?: ((written: readonly number[]) => Uint8Array | undefined) | undefined;
}

/** A request's settings, complete. */
export interface CheckedSettings extends Required<Omit<SamplingSettings, "allowed">> {
  readonly allowed: SamplingSettings["allowed"];
}

/** Throws RangeError naming the setting. */
export function checkSettings(settings: SamplingSettings, vocabulary: number): CheckedSettings {
  const {
    temperature = 1,
    topP = 1,
    topK = vocabulary,
    seed = Math.floor(Math.random() * 2 ** 32),
    presencePenalty = 0,
    frequencyPenalty = 0,
    logitBias = new Map(),
    topLogProbabilities = 0,
    endTokens = [],
    allowed,
  } = settings;
  const isToken = (id: number) => Number.isInteger(id) && id >= 0 && id < vocabulary;
  const within = (low: number, high: number) => (value: number) => value >= low && value <= high;
  const rules: [string, unknown, boolean, string][] = [
    ["temperature", temperature, within(0, 100)(temperature), "0 to 100"],
    ["topP", topP, topP > 0 && topP <= 1, "above 0 and at most 1"],
    ["topK", topK, Number.isInteger(topK) && topK > 0, "a positive integer"],
    ["seed", seed, Number.isSafeInteger(seed), "an integer"],
    ["presencePenalty", presencePenalty, within(-100, 100)(presencePenalty), "-100 to 100"],
    ["frequencyPenalty", frequencyPenalty, within(-100, 100)(frequencyPenalty), "-100 to 100"],
    ["logitBias", [...logitBias.keys()], [...logitBias.keys()].every(isToken), "of tokens of the vocabulary"],
    ["logitBias", [...logitBias.values()], [...logitBias.values()].every(within(-1e4, 1e4)), "-10000 to 10000"],
    [
      "topLogProbabilities",
      topLogProbabilities,
      Number.isInteger(topLogProbabilities) && within(0, vocabulary)(topLogProbabilities),
      "an integer from 0 to the size of the vocabulary",
    ],
    ["endTokens", endTokens, endTokens.every(isToken), "tokens of the vocabulary"],
  ];
  const broken = rules.find(([, , holds]) => !holds);
  if (broken) throw new RangeError(`${broken[0]} must be ${broken[3]}, not ${broken[1]}`);
  return {
    temperature: temperature < 0.001 ? 0 : temperature,
    topP: topP > 0.99999 ? 1 : topP,
    topK: Math.min(topK, vocabulary),
    seed,
    presencePenalty,
    frequencyPenalty,
    logitBias,
    topLogProbabilities,
    endTokens,
    allowed,
  };
}

/** One text of a call. */
export interface SampledRow {
  readonly settings: CheckedSettings;
  /** Tokens written so far. */
  readonly written: readonly number[];
  /** The tokens allowed next; all of them where absent. */
  readonly mask?: Uint8Array | undefined;
}

/** What a row's constraint says of its next token, if it has one. Throws RangeError where that is nothing sensible. */
export function maskOf({ settings, written }: SampledRow, vocabulary: number): Uint8Array | undefined {
  const mask = settings.allowed?.(written);
  if (mask && mask.length !== vocabulary) {
    throw new RangeError(`allowed gives ${mask.length} elements for ${vocabulary} tokens`);
  }
  if (mask?.every((element) => element === 0)) throw new RangeError("allowed leaves no token");
  return mask;
}

/** The decoder's inputs about sampling. */
export function samplingFeeds(rows: readonly SampledRow[], vocabulary: number): Feeds {
  const of = (value: (settings: CheckedSettings) => number) => rows.map(({ settings }) => value(settings));
  const floats = (values: number[]): Tensor => ({ shape: [rows.length, 1], data: Float32Array.from(values) });
  const biases = padded(rows.map(({ settings }) => [...settings.logitBias]));
  const seen = padded(rows.map(({ settings, written }) => (isPenalised(settings) ? counts(written) : [])));
  return {
    temperature: floats(of(({ temperature }) => temperature)),
    top_p: floats(of(({ topP }) => topP)),
    presence_penalty: floats(of(({ presencePenalty }) => presencePenalty)),
    frequency_penalty: floats(of(({ frequencyPenalty }) => frequencyPenalty)),
    top_k: { shape: [rows.length, 1], data: Int32Array.from(of(({ topK }) => topK)) },
    seed: { shape: [rows.length, 1], data: Uint32Array.from(of(({ seed }) => seedBits(seed))) },
    bias_tokens: biases.tokens,
    biases: biases.values,
    seen_tokens: seen.tokens,
    seen_counts: seen.values,
    alternatives: count(Math.max(...of(({ topLogProbabilities }) => topLogProbabilities))),
    ...masks(rows, vocabulary),
  };
}

const count = (value: number): Tensor => ({ shape: [1], data: BigInt64Array.of(BigInt(value)) });
const isPenalised = (settings: CheckedSettings) => settings.presencePenalty !== 0 || settings.frequencyPenalty !== 0;

/** Integers beyond 32 bits keep all of their bits' influence. */
function seedBits(seed: number): number {
  return seed >= 0 && seed < 2 ** 32 ? seed : mixSeeds(seed, Math.floor(seed / 2 ** 32));
}

function counts(written: readonly number[]): [number, number][] {
  const found = new Map<number, number>();
  for (const token of written) found.set(token, (found.get(token) ?? 0) + 1);
  return [...found];
}

/** Lists of tokens and values, shorter ones filled up with 0 for token 0. */
function padded(lists: readonly (readonly (readonly [number, number])[])[]): { tokens: Tensor; values: Tensor } {
  const width = Math.max(...lists.map(({ length }) => length));
  const shape = [lists.length, width];
  const [tokens, values] = [new Int32Array(lists.length * width), new Float32Array(lists.length * width)];
  for (const [row, list] of lists.entries()) {
    for (const [i, [token, value]] of list.entries()) {
      tokens[row * width + i] = token;
      values[row * width + i] = value;
    }
  }
  return { tokens: { shape, data: tokens }, values: { shape, data: values } };
}

/** One mask that allows all, and one for each row that has its own. */
function masks(rows: readonly SampledRow[], vocabulary: number): Feeds {
  const own = rows.flatMap(({ mask }, at) => (mask ? [{ at, mask }] : []));
  const data = new Uint8Array((own.length + 1) * vocabulary).fill(1, 0, vocabulary);
  const which = new Int32Array(rows.length);
  for (const [i, { at, mask }] of own.entries()) {
    data.set(mask, (i + 1) * vocabulary);
    which[at] = i + 1;
  }
  return {
    allowed: { shape: [own.length + 1, vocabulary], data },
    allowed_row: { shape: [rows.length], data: which },
  };
}
