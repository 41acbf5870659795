/** Connectionist temporal classification (Graves et al. 2006): labels shorter than the frames they are heard in. */
import { constant, type Node } from "../graph.ts";
import { exp, log, neg } from "../ops/activations.ts";
import { add, div, max, mul, sub } from "../ops/elementwise.ts";
import { gather, gatherElements } from "../ops/indexing.ts";
import { reshape, slice, squeeze, unsqueeze } from "../ops/layout.ts";
import { cast, equal, greater, less, where } from "../ops/logic.ts";
import { logSoftmax } from "../ops/normalization.ts";
import { pad } from "../ops/padding.ts";
import { reduceMean } from "../ops/reductions.ts";
import { unstack } from "../ops/unstack.ts";

export interface AlignmentTargets {
  /** int32 [batch, length], the length known; classes above 0, which is the blank. What lies beyond is not read. */
  readonly labels: Node;
  /** int32 [batch]: how many labels a row has. */
  readonly lengths: Node;
  /** int32 or float32 [batch, frames], 1 for a frame and 0 for padding. Default: every frame counts. */
  readonly mask?: Node;
}

// In place of minus infinity: differences of it are numbers, and adding to it leaves it what it is.
const never = -1e30;

/**
 * The mean over rows of -log p(labels), in nats, each divided by its number of labels, as PyTorch's CTCLoss. `logits`
 * float32 [batch, frames, classes], the frames of known number; class 0 is the blank. A row with too few frames for its
 * labels has loss 0 and no gradient.
 */
export function temporalClassification(logits: Node, { labels, lengths, mask }: AlignmentTargets): Node {
  const frames = logits.type.shape[1] as number;
  const path = withBlanks(labels);
  // Every frame's log-probability of every place on the path: [batch, frames, places].
  const everyFrame = constant(new Int32Array(frames), [1, frames, 1]);
  const heard = gatherElements(logSoftmax(logits), add(unsqueeze(path, [1]), everyFrame), 2);
  const [first, ...rest] = unstack(heard, 1).map((frame) => squeeze(frame, [1]));
  const seen = mask && unstack(greater(cast(mask, "float32"), 0.5), 1);
  const jump = jumps(path);
  let reached = add(first!, startingPlaces(path));
  for (const [i, frame] of rest.entries()) {
    const stayed = logSumExp([reached, moved(reached, 1), add(moved(reached, 2), jump)]);
    const next = add(stayed, frame);
    reached = seen ? where(seen[i + 1]!, next, reached) : next;
  }
  const missing = neg(endingPlaces(reached, lengths));
  const possible = where(greater(missing, -never / 2), 0, missing);
  return reduceMean(div(possible, max(cast(lengths, "float32"), 1)));
}

/** Blank, label, blank, label, ..., blank: int32 [batch, 2 length + 1]. */
function withBlanks(labels: Node): Node {
  const places = 2 * (labels.type.shape[1] as number) + 1;
  const from = Int32Array.from({ length: places }, (_, place) => Math.min(place, places - 2) >> 1);
  return mul(gather(labels, constant(from, [places]), 1), alternating(places, "int32"));
}

/** 0 at blanks and 1 at labels: [1, places]. */
function alternating(places: number, dataType: "int32" | "float32"): Node {
  const odd = constant(
    Int32Array.from({ length: places }, (_, place) => place % 2),
    [1, places],
  );
  return cast(odd, dataType);
}

/** 0 where a path may come from two places before, over a blank: to a label that differs from the one before. */
function jumps(path: Node): Node {
  const places = path.type.shape[1] as number;
  const before = pad(slice(path, { axis: 1, end: places - 2 }), { axis: 1, before: 2, value: -1 });
  const allowed = mul(alternating(places, "float32"), sub(1, cast(equal(path, before), "float32")));
  return mul(sub(1, allowed), never);
}

/** 0 at the first blank and the first label. */
function startingPlaces(path: Node): Node {
  const places = path.type.shape[1] as number;
  return constant(
    Float32Array.from({ length: places }, (_, place) => (place < 2 ? 0 : never)),
    [1, places],
  );
}

/** A path ends at its last label or at the blank behind it; without labels, at the blank alone: [batch]. */
function endingPlaces(reached: Node, lengths: Node): Node {
  const [batch] = lengths.type.shape;
  const last = mul(unsqueeze(lengths, [1]), 2);
  const atLabel = gatherElements(reached, max(sub(last, 1), 0), 1);
  const label = where(less(last, 1), never, atLabel);
  return reshape(logSumExp([gatherElements(reached, last, 1), label]), [batch!]);
}

function moved(reached: Node, by: number): Node {
  const places = reached.type.shape[1] as number;
  return pad(slice(reached, { axis: 1, end: places - by }), { axis: 1, before: by, value: never });
}

function logSumExp(nodes: readonly Node[]): Node {
  const highest = nodes.reduce((a, b) => max(a, b));
  return add(highest, log(nodes.map((node) => exp(sub(node, highest))).reduce((a, b) => add(a, b))));
}
