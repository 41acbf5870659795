/** Choosing the next token of each row in the graph. No row's choice depends on another row. */
import { constant, input, type Node } from "../graph.ts";
import { mix } from "../layers/dropout.ts";
import { exp } from "../ops/activations.ts";
import { bitwiseXor, shiftRight } from "../ops/bits.ts";
import { add, div, max, min, mul, sub } from "../ops/elementwise.ts";
import { gather, gatherElements, scatterElements } from "../ops/indexing.ts";
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
    /** How many of the likeliest tokens are looked at: as many as any row's `top_k` or `top_p` may need, at least 1. */
    candidates: input("candidates", [1], "int64"),
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
  const { temperature, candidates } = settings;
  const judged = judge(logits, seen, settings);
  const greedy = equal(temperature, 0);
  // Divided by a float32, as the reference does in any precision; greedy rows are compared as they are.
  const scaled = div(judged, where(greedy, constant(1), temperature));
  const { values, places } = topK(scaled, candidates, "candidates");
  const likeliest = { value: slice0(values), token: cast(slice0(places), "int32") };
  const kept = keptTokens(scaled, { values, places }, settings);
  const weights = where(kept, exp(sub(scaled, likeliest.value)), 0);
  return where(greedy, likeliest.token, draw(weights, uniform(settings.seed, place)));
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
const slice0 = (x: Node) => gather(x, constant(Int32Array.of(0), [1]), 1);

/**
 * Which tokens may be drawn, bool [rows, vocabulary]: of the `top_k` likeliest the first that make up `top_p` of their
 * probability (Holtzman et al. 2019), the one that reaches it included.
 */
function keptTokens(scaled: Node, sorted: { values: Node; places: Node }, { topK, topP }: SamplingInputs): Node {
  const { values, places } = sorted;
  const vocabulary = scaled.type.shape.at(-1) as number;
  const withinK = less(counted(values, 1), topK);
  const weights = where(withinK, exp(sub(values, slice0(values))), 0);
  // Sums in order, so that how many candidates the other rows ask for changes nothing.
  const before = cumulativeSum(weights, { exclusive: true });
  const total = reduceMax(add(before, weights), { axes: [-1], keepDims: true });
  const isKept = where(withinK, cast(less(before, mul(total, topP)), "int32"), 0);
  const count = max(reduceSum(isKept, { axes: [-1], keepDims: true }), 1);
  const least = gatherElements(values, sub(count, 1), 1);
  const place = cast(gatherElements(places, sub(count, 1), 1), "int32");
  const isLast = cast(less(counted(scaled, 1), add(place, 1)), "int32");
  const tied = where(equal(scaled, least), isLast, 0);
  const kept = where(greater(scaled, least), constant(1, "int32"), tied);
  const all = min(cast(greater(topK, vocabulary - 1), "int32"), cast(less(constant(1 - 2 ** -24), topP), "int32"));
  return greater(add(kept, all), 0);
}

/** The token at which the running sum of weights passes a share `at` (float32 [rows, 1] in [0, 1)) of their total. */
function draw(weights: Node, at: Node): Node {
  const sums = cumulativeSum(weights);
  const total = reduceMax(sums, { axes: [-1], keepDims: true });
  const beyond = cast(greater(sums, mul(at, total)), "int32");
  return sub(weights.type.shape.at(-1) as number, reduceSum(beyond, { axes: [-1], keepDims: true }));
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
