/** How well labels are told from a base's vectors in each precision, by a head that learned from the exact ones. */
import { input } from "../graph.ts";
import { linearLoss, linearModel } from "../models/linear.ts";
import { permutation } from "../random.ts";
import { fit } from "../training/fit.ts";
import type { Tensors } from "../training/fitGraph.ts";

export interface Labelled {
  /** Class of each text, counted from 0. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** float32 [texts, width], in float32's precision. */
  readonly exact: Float32Array;
}

const training = { batch: 64, learningRate: 0.02, seed: 1 };
/** Passes over the texts, and steps that there are at least, as few texts make few steps a pass. */
const [leastEpochs, leastSteps] = [40, 600];
const l2 = 1e-4;

/**
 * For each of the variants' vectors the share of texts that multinomial logistic regression labels right. Each half of the
 * texts is judged by a head that learned from the other half of `exact`, so that no text is judged by what it taught.
 */
export async function headAccuracies(
  { labels, classes, exact }: Labelled,
  variants: readonly Float32Array[],
  threads: number,
): Promise<number[]> {
  const texts = labels.length;
  const width = exact.length / texts;
  const order = permutation(texts, training.seed, 0);
  const halves = [order.subarray(0, texts >> 1), order.subarray(texts >> 1)];
  const right = variants.map(() => 0);
  for (const [i, half] of halves.entries()) {
    const head = await learnHead({ labels, classes, exact }, halves[1 - i]!, threads);
    for (const [v, vectors] of variants.entries()) {
      for (const text of half) {
        right[v]! += Number(labelOf(head, vectors.subarray(text * width, (text + 1) * width)) === labels[text]);
      }
    }
  }
  return right.map((count) => count / texts);
}

interface Head {
  /** float32 [classes, width] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

async function learnHead({ labels, classes, exact }: Labelled, rows: Int32Array, threads: number): Promise<Head> {
  const width = exact.length / labels.length;
  const stepsPerEpoch = Math.max(1, Math.floor(rows.length / training.batch));
  const targets = input("labels", ["batch"], "int32");
  const { weights } = await fit({
    ...training,
    epochs: Math.max(leastEpochs, Math.ceil(leastSteps / stepsPerEpoch)),
    threads,
    rows: rows.length,
    model: (scope) => linearModel(scope, input("x", ["batch", width]), { features: width, outputs: classes }),
    loss: (scores, scope) => linearLoss("logisticRegression", scope, { scores, targets }, { l2 }),
    feeds: (chosen): Tensors => {
      const x = new Float32Array(chosen.length * width);
      for (const [i, row] of chosen.entries()) x.set(scaled(exact, rows[row]! * width, width), i * width);
      return {
        x: { shape: [chosen.length, width], data: x },
        labels: { shape: [chosen.length], data: Int32Array.from(chosen, (row) => labels[rows[row]!]!) },
      };
    },
  });
  return { weight: weights.weight!.data as Float32Array, bias: weights.bias!.data as Float32Array };
}

/** Of elements near 1, as the learning rate expects; the scale of the logits is all that it changes. */
function scaled(vectors: Float32Array, start: number, width: number): Float32Array {
  return vectors.subarray(start, start + width).map((value) => value * Math.sqrt(width));
}

function labelOf({ weight, bias }: Head, vector: Float32Array): number {
  const width = vector.length;
  const x = scaled(vector, 0, width);
  let best = { label: 0, score: -Infinity };
  for (let label = 0; label < bias.length; label++) {
    let score = bias[label]!;
    for (let i = 0, at = label * width; i < width; i++, at++) score += weight[at]! * x[i]!;
    if (score > best.score) best = { label, score };
  }
  return best.label;
}
