/** A `millrace-ngram` trained in this process by the real learner, and what it then answers. */
import { methods } from "../../shared/engine/race/methods.ts";
import type { Examples } from "../../shared/engine/training/examples.ts";
import type { Row } from "../examples/customer.ts";

export interface Answered {
  /** By text asked. */
  answers: string[];
  /** By text: of each label, in the order of the names. */
  probabilities: Float32Array[];
}

/** Trains on `rows` and answers for `asked`, which it does not learn from. `names` are all labels there are. */
export async function learnAndAnswer(
  rows: readonly Row[],
  asked: readonly string[],
  names: readonly string[],
  seed: number,
): Promise<Answered> {
  const places = new Map(names.map((name, place) => [name, place]));
  const train: Examples = {
    texts: rows.map(({ text }) => text),
    labels: Int32Array.from(rows, ({ label }) => places.get(label)!),
  };
  const valid: Examples = { texts: [...asked], labels: new Int32Array(asked.length) };
  const course = { labels: names, vectors: null, requested: {}, seed, threads: 1 };
  const entry = { train, valid, operations: Number.POSITIVE_INFINITY, setting: { strength: 1, share: 1 } };
  const { learner } = await methods.ngram.start(course, entry);
  try {
    for (let step = 0; step < learner.totalSteps; step++) await learner.step(step);
    const { logits, classes } = await learner.validate();
    const probabilities = asked.map((_, row) => softmax(logits.subarray(row * classes, (row + 1) * classes)));
    return { answers: probabilities.map((row) => names[row.indexOf(Math.max(...row))]!), probabilities };
  } finally {
    await learner.release();
  }
}

function softmax(logits: Float32Array): Float32Array {
  const top = Math.max(...logits);
  const raised = logits.map((logit) => Math.exp(logit - top));
  const sum = raised.reduce((all, value) => all + value, 0);
  return raised.map((value) => value / sum);
}

/** Percent of rows answered right. */
export const percentRight = (answers: readonly string[], rows: readonly Row[]): number =>
  (100 * answers.filter((answer, i) => answer === rows[i]!.label).length) / rows.length;
