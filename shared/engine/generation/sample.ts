/** Choosing the next token of each row in the graph. No row's choice depends on another row. */
import { constant, input, type Node } from "../graph.ts";
import { mix } from "../layers/dropout.ts";
import { exp } from "../ops/activations.ts";
import { bitwiseXor, shiftRight } from "../ops/bits.ts";
import { add, div, max, mul, sub } from "../ops/elementwise.ts";
import { gather, gatherElements, scatterElements } from "../ops/indexing.ts";
import { squeeze } from "../ops/layout.ts";
import { cast, equal, greater, less, where } from "../ops/logic.ts";
import { logSoftmax } from "../ops/normalization.ts";
import { reduceMax, reduceSum } from "../ops/reductions.ts";
import { cumulativeSum, topK } from "../ops/selection.ts";
import { hashName } from "../random.ts";
import { counted, zeroRows } from "./dynamic.ts";

const perRow = (name: string, dataType: "float32" | "int32" | "uint32" = "float32") =>
  input(name, ["rows", 1], dataType);

/** What a call says of sampling, as graph inputs; rows with fewer tokens listed are filled up with what changes nothing. */
export function samplingInputs(vocabulary: number) {
  return {
    /** 0 for the likeliest token, of equals the lowest. */
    temperature: perRow("temperature"),
    /** Only so many of the likeliest tokens; the vocabulary's size for all. */
    topK: perRow("top_k", "int32"),
    /** Only the likeliest tokens that make up this share of probability; 1 for all. */
    topP: perRow("top_p"),
    seed: perRow("seed", "uint32"),
    presencePenalty: perRow("presence_penalty"),
    frequencyPenalty: perRow("frequency_penalty"),
    /** Tokens whose logits are moved, and by how much. */
    biasTokens: input("bias_tokens", ["rows", "biases"], "int32"),
    biases: input("biases", ["rows", "biases"]),
    /** Tokens written so far, and how often. */
    seenTokens: input("seen_tokens", ["rows", "seen"], "int32"),
    seenCounts: input("seen_counts", ["rows", "seen"]),
    /** Masks of the tokens allowed, and which mask is whose. */
    allowed: input("allowed", ["masks", vocabulary], "bool"),
    allowedRow: input("allowed_row", ["rows"], "int32"),
    /** How many of the likeliest tokens are returned with their log-probabilities. */
    alternatives: input("alternatives", [1], "int64"),
  };
}

export type SamplingInputs = ReturnType<typeof samplingInputs>;

/** How often each token was written before this call, float32 [rows, vocabulary]. */
export function seenBefore({ seenTokens, seenCounts }: SamplingInputs, vocabulary: number): Node {
  return scatterElements(zeroRows(seenTokens, vocabulary), seenTokens, seenCounts, 1);
}

/** `seen` with one more of `token` [rows, 1]. */
export function seenAfter(seen: Node, token: Node): Node {
  return scatterElements(seen, token, cast(equal(token, token), "float32"), 1);
}

/**
 * The token each row goes on with, int32 [rows, 1], from the model's logits [rows, vocabulary]. `place` (int32 [rows,
 * 1]) is where it will stand in its text: together with the row's seed it decides the random number.
 */
export function chooseToken(logits: Node, seen: Node, place: Node, settings: SamplingInputs): Node {
  const { temperature } = settings;
  const judged = judge(logits, seen, settings);
  const greedy = equal(temperature, 0);
  // Greedy rows are compared as they are.
  const scaled = div(judged, where(greedy, constant(1), temperature));
  const weights = exp(sub(scaled, reduceMax(scaled, last)));
  const sorted = topK(scaled, candidates(weights, settings), "candidates");
  const drawn = draw(
    where(keptTokens({ scaled, weights, sorted }, settings), weights, 0),
    uniform(settings.seed, place),
  );
  return where(greedy, cast(first(sorted.places), "int32"), drawn);
}

/**
 * How many of the likeliest tokens must be sorted, int64 [1], for the row that needs most. Those less likely than
 * (1 - top_p) / vocabulary make up less than 1 - top_p together, and so are not among the first that make up top_p;
 * half of that leaves room for rounding.
 */
function candidates(weights: Node, { temperature, topK, topP }: SamplingInputs): Node {
  const vocabulary = weights.type.shape.at(-1) as number;
  const least = mul(mul(sub(1, topP), 0.5 / vocabulary), reduceSum(weights, last));
  const likely = reduceSum(cast(greater(weights, least), "int32"), last);
  const needed = where(less(topK, vocabulary), topK, where(less(topP, 1), likely, constant(1, "int32")));
  const most = reduceMax(where(equal(temperature, 0), constant(1, "int32"), needed), { keepDims: true });
  return cast(squeeze(max(most, 1), [0]), "int64");
}

/** Penalties as OpenAI's API defines them, biases and masks. */
function judge(logits: Node, seen: Node, settings: SamplingInputs): Node {
  const { presencePenalty, frequencyPenalty, biasTokens, biases, allowed, allowedRow } = settings;
  const vocabulary = logits.type.shape.at(-1) as number;
  const wasSeen = where(greater(seen, 0), constant(1), 0);
  const penalty = add(mul(seen, frequencyPenalty), mul(wasSeen, presencePenalty));
  const bias = scatterElements(zeroRows(biasTokens, vocabulary), biasTokens, biases, 1);
  return where(gather(allowed, allowedRow), add(sub(logits, penalty), bias), impossible);
}

const impossible = -3e38;
const first = (x: Node) => gather(x, constant(Int32Array.of(0), [1]), 1);
const last = { axes: [-1], keepDims: true } as const;

interface Ranked {
  /** Logits over temperature, float32 [rows, vocabulary], and the shares of probability they stand for, unscaled. */
  readonly scaled: Node;
  readonly weights: Node;
  /** The likeliest tokens. */
  readonly sorted: { readonly values: Node; readonly places: Node };
}

/**
 * Which tokens may be drawn, bool [rows, vocabulary]: of the `top_k` likeliest the first that make up `top_p` of their
 * probability (Holtzman et al. 2019), the one that reaches it included.
 */
function keptTokens({ scaled, weights, sorted }: Ranked, { topK, topP }: SamplingInputs): Node {
  const { values, places } = sorted;
  const vocabulary = scaled.type.shape.at(-1) as number;
  const limited = less(topK, vocabulary);
  const withinK = less(counted(values, 1), topK);
  const ranked = where(withinK, exp(sub(values, first(values))), 0);
  // Sums in order, so that how many candidates the other rows ask for changes nothing.
  const before = cumulativeSum(ranked, { exclusive: true });
  const total = where(limited, reduceMax(add(before, ranked), last), reduceSum(weights, last));
  const isKept = where(withinK, cast(less(before, mul(total, topP)), "int32"), 0);
  const lastKept = sub(max(reduceSum(isKept, last), 1), 1);
  const least = gatherElements(values, lastKept, 1);
  const place = cast(gatherElements(places, lastKept, 1), "int32");
  // Of tokens as likely as the last one kept, those before it in the vocabulary.
  const tied = where(equal(scaled, least), cast(less(counted(scaled, 1), add(place, 1)), "int32"), 0);
  const kept = where(greater(scaled, least), constant(1, "int32"), tied);
  const filtered = where(limited, constant(1, "int32"), cast(less(topP, 1), "int32"));
  return greater(where(greater(filtered, 0), kept, 1), 0);
}

/** The token at which the running sum of weights passes a share `at` (float32 [rows, 1] in [0, 1)) of their total. */
function draw(weights: Node, at: Node): Node {
  const sums = cumulativeSum(weights);
  const total = reduceMax(sums, last);
  const beyond = cast(greater(sums, mul(at, total)), "int32");
  return sub(weights.type.shape.at(-1) as number, reduceSum(beyond, last));
}

const salt = hashName("token");

/** 23 bits, so that a share of a float32 is always less than the whole. */
function uniform(seed: Node, place: Node): Node {
  const hash = mix(bitwiseXor(mul(cast(place, "uint32"), 0x9e3779b9), mix(bitwiseXor(seed, salt))));
  return mul(cast(shiftRight(mix(hash), 9), "float32"), 2 ** -23);
}

export interface LogProbabilities {
  /** Of the token chosen, float32 [rows, 1]. */
  readonly chosen: Node;
  /** The likeliest tokens, int32 [rows, alternatives], and theirs. */
  readonly tokens: Node;
  readonly values: Node;
}

/** By the model's own distribution: before temperature, penalties, biases and masks. */
export function logProbabilities(logits: Node, token: Node, { alternatives }: SamplingInputs): LogProbabilities {
  const all = logSoftmax(logits);
  const { values, places } = topK(all, alternatives, "alternatives");
  return { chosen: gatherElements(all, token, 1), tokens: cast(places, "int32"), values };
}
