/** Each loss: its value against plain JavaScript in float64, its gradient against finite differences. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  bayesianPersonalizedRanking,
  binaryCrossEntropy,
  type CrossEntropyOptions,
  causalCrossEntropy,
  constant,
  crossEntropy,
  directPreference,
  distillation,
  gradients,
  huber,
  input,
  marginCrossEntropy,
  maskedCrossEntropy,
  meanSquaredError,
  multiClassHinge,
  multipleNegativesRanking,
  type Node,
  squaredHinge,
  squaredNorm,
  type Tensor,
  textLogProbabilities,
  triplet,
} from "../../../shared/engine/index.ts";
import { tolerance, worstError } from "./finiteDifferences.ts";
import { assertClose, evaluate, numbers, randomValues, tensor } from "./run.ts";

type Rows = number[][];
const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
const mean = (list: readonly number[]) => sum(list) / list.length;
const logSumExp = (list: readonly number[]) => Math.log(sum(list.map(Math.exp)));
const logSoftmaxOf = (list: readonly number[]) => list.map((value) => value - logSumExp(list));
const logSigmoidOf = (x: number) => -Math.log(1 + Math.exp(-x));
const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((value, i) => value * b[i]!));
const apart = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, i) => value - b[i]!));

interface Case {
  /** Differentiated operands: rows, or a vector as one row. */
  readonly operands: Readonly<Record<string, Rows>>;
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly feeds?: Readonly<Record<string, Tensor>>;
  readonly build: (nodes: Record<string, Node>) => Node;
  readonly expected: (values: Record<string, Rows>) => number;
}

const rows = (count: number, width: number, seed: number): Rows => {
  const values = [...randomValues(count * width, { seed, low: -2, high: 2 })];
  return Array.from({ length: count }, (_, i) => values.slice(i * width, (i + 1) * width));
};

const labels = [2, 0, 1];
const labelNode = input("labels", ["batch"], "int32");
const weightNode = input("weights", ["batch"]);
const rowWeights = [1, 0.5, 2];
const feeds = { labels: tensor([3], Int32Array.from(labels)), weights: tensor([3], rowWeights) };
const classWeights = [0.5, 2, 1, 3];

/** PyTorch's definition of CrossEntropyLoss with all of its options. */
function referenceCrossEntropy(logits: Rows, wanted: readonly number[], options: ReferenceOptions = {}): number {
  const { ofClass = [1, 1, 1, 1], smoothing = 0, ignore, weights = wanted.map(() => 1) } = options;
  let [total, share] = [0, 0];
  for (const [row, label] of wanted.entries()) {
    if (label === ignore) continue;
    const each = logSoftmaxOf(logits[row]!).map((value, i) => -value * ofClass[i]!);
    total += weights[row]! * ((1 - smoothing) * each[label]! + smoothing * mean(each));
    share += weights[row]! * ofClass[label]!;
  }
  return total / share;
}

interface ReferenceOptions {
  ofClass?: number[];
  smoothing?: number;
  ignore?: number;
  weights?: number[];
}

const logits = { logits: rows(3, 4, 7) };
const entropy = (options: CrossEntropyOptions, reference: ReferenceOptions, weights?: Node): Case => ({
  operands: logits,
  feeds,
  build: (nodes) => crossEntropy(nodes.logits!, labelNode, weights, options),
  expected: (values) => referenceCrossEntropy(values.logits!, labels, reference),
});
const classes = constant(Float32Array.from(classWeights), [4]);

// Two texts of three tokens over four words.
const textShape = ["batch", "sequence", 4] as const;
const textLabels = [3, 1, 0, 2, -100, 1];
const textNode = input("text_labels", ["batch", "sequence"], "int64");
const textFeeds = { text_labels: tensor([2, 3], BigInt64Array.from(textLabels, BigInt)) };
const texts = { logits: rows(6, 4, 11) };
const nextOf = [1, 0, -100, -100, 1, -100];
const weightedBy = (values: readonly number[]) => dot(values, rowWeights) / sum(rowWeights);

const targets = [
  [1, 0],
  [0.25, 1],
  [0, 1],
];
const targetNode = input("targets", ["batch", 2]);
const targetFeeds = { ...feeds, targets: tensor([3, 2], targets.flat()) };
const binary = (x: number, t: number, w = 1) => -(w * t * logSigmoidOf(x) + (1 - t) * logSigmoidOf(-x));
const onTargets = (of: (x: number, t: number, column: number) => number) => (values: Record<string, Rows>) =>
  weightedBy(values.x!.map((row, i) => mean(row.map((x, j) => of(x, targets[i]![j]!, j)))));
const pairs = { x: rows(3, 2, 13) };

const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.hypot(...a) / Math.hypot(...b);
const side = (label: number, i: number) => (label === i ? 1 : -1);
const preferences = { chosen: rows(1, 3, 21), rejected: rows(1, 3, 22), first: rows(1, 3, 23), second: rows(1, 3, 24) };
const vectors = { chosen: ["batch"], rejected: ["batch"], first: ["batch"], second: ["batch"] };
const preference = (beta: number, labelSmoothing: number): Case => ({
  operands: preferences,
  shapes: vectors,
  build: ({ chosen, rejected, first, second }) =>
    directPreference(
      { chosen: chosen!, rejected: rejected! },
      { chosen: first!, rejected: second! },
      { beta, labelSmoothing },
    ),
  expected: ({ chosen, rejected, first, second }) =>
    -mean(
      chosen![0]!.map((c, i) => {
        const margin = beta * (c - rejected![0]![i]! - first![0]![i]! + second![0]![i]!);
        return (1 - labelSmoothing) * logSigmoidOf(margin) + labelSmoothing * logSigmoidOf(-margin);
      }),
    ),
});

const cases: Record<string, Case> = {
  "cross-entropy": entropy({}, {}),
  "cross-entropy by class weight": entropy({ classWeights: classes }, { ofClass: classWeights }),
  "cross-entropy with smoothed labels": entropy({ labelSmoothing: 0.2 }, { smoothing: 0.2 }),
  "cross-entropy without the rows of a label": entropy({ ignoreIndex: 0 }, { ignore: 0 }),
  "cross-entropy with every option": entropy(
    { classWeights: classes, labelSmoothing: 0.3, ignoreIndex: 2 },
    { ofClass: classWeights, smoothing: 0.3, ignore: 2, weights: rowWeights },
    weightNode,
  ),
  "next tokens": {
    operands: texts,
    shapes: { logits: textShape },
    feeds: textFeeds,
    build: (nodes) => causalCrossEntropy(nodes.logits!, textNode),
    expected: (values) => referenceCrossEntropy(values.logits!, nextOf, { ignore: -100 }),
  },
  "hidden tokens": {
    operands: texts,
    shapes: { logits: textShape },
    feeds: textFeeds,
    build: (nodes) => maskedCrossEntropy(nodes.logits!, textNode),
    expected: (values) => referenceCrossEntropy(values.logits!, textLabels, { ignore: -100 }),
  },
  "binary cross-entropy": {
    operands: pairs,
    feeds: targetFeeds,
    build: ({ x }) => binaryCrossEntropy(x!, targetNode, { weights: weightNode }),
    expected: onTargets((x, t) => binary(x, t)),
  },
  "binary cross-entropy where positives count more": {
    operands: pairs,
    feeds: targetFeeds,
    build: ({ x }) =>
      binaryCrossEntropy(x!, targetNode, {
        weights: weightNode,
        positiveWeight: constant(Float32Array.of(3, 0.5), [2]),
      }),
    expected: onTargets((x, t, column) => binary(x, t, [3, 0.5][column]!)),
  },
  "mean squared error": {
    operands: pairs,
    feeds: targetFeeds,
    build: ({ x }) => meanSquaredError(x!, targetNode, { weights: weightNode }),
    expected: onTargets((x, t) => (x - t) ** 2),
  },
  huber: {
    operands: pairs,
    feeds: targetFeeds,
    build: ({ x }) => huber(x!, targetNode, { delta: 0.7, weights: weightNode }),
    expected: onTargets((x, t) => {
      const d = Math.abs(x - t);
      return d <= 0.7 ? d ** 2 / 2 : 0.7 * (d - 0.35);
    }),
  },
  "multi-class hinge": {
    operands: logits,
    feeds,
    build: (nodes) => multiClassHinge(nodes.logits!, labelNode, weightNode),
    expected: (values) =>
      weightedBy(
        values.logits!.map((row, i) =>
          Math.max(0, 1 + Math.max(...row.filter((_, j) => j !== labels[i])) - row[labels[i]!]!),
        ),
      ),
  },
  "squared hinge": {
    operands: logits,
    feeds,
    build: (nodes) => squaredHinge(nodes.logits!, labelNode),
    expected: (values) =>
      mean(values.logits!.map((row, i) => sum(row.map((x, j) => Math.max(0, 1 - side(labels[i]!, j) * x) ** 2)))),
  },
  "margin cross-entropy": {
    operands: logits,
    feeds,
    build: (nodes) => marginCrossEntropy(nodes.logits!, labelNode, 1.5, weightNode),
    expected: (values) =>
      weightedBy(
        values.logits!.map((row, i) => -logSoftmaxOf(row.map((x, j) => (j === labels[i] ? x - 1.5 : x)))[labels[i]!]!),
      ),
  },
  "squared norm": {
    operands: { a: rows(2, 2, 1), b: rows(1, 3, 2) },
    build: ({ a, b }) => squaredNorm([a!, b!]),
    expected: ({ a, b }) => sum([...a!, ...b!].flat().map((x) => x * x)),
  },
  "multiple negatives ranking": {
    operands: { a: rows(3, 4, 3), b: rows(3, 4, 5) },
    shapes: { a: ["batch", 4], b: ["batch", 4] },
    feeds: {},
    build: ({ a, b }) => multipleNegativesRanking(a!, b!, 0.5),
    expected: ({ a, b }) => -mean(a!.map((row, i) => logSoftmaxOf(b!.map((other) => cosine(row, other) / 0.5))[i]!)),
  },
  triplet: {
    operands: { a: rows(3, 4, 3), b: rows(3, 4, 5), c: rows(3, 4, 6) },
    build: ({ a, b, c }) => triplet(a!, b!, c!, 0.8),
    expected: ({ a, b, c }) => mean(a!.map((row, i) => Math.max(0, apart(row, b![i]!) - apart(row, c![i]!) + 0.8))),
  },
  "Bayesian personalised ranking": {
    operands: { chosen: rows(3, 1, 3), others: rows(3, 4, 5) },
    build: ({ chosen, others }) => bayesianPersonalizedRanking(chosen!, others!),
    expected: ({ chosen, others }) =>
      -mean(others!.flatMap((row, i) => row.map((other) => logSigmoidOf(chosen![i]![0]! - other)))),
  },
  distillation: {
    operands: { student: rows(3, 4, 3), teacher: rows(3, 4, 5) },
    feeds,
    build: ({ student, teacher }) => distillation(student!, teacher!, { temperature: 2, weights: weightNode }),
    expected: ({ student, teacher }) =>
      4 *
      weightedBy(
        teacher!.map((row, i) => {
          const [to, from] = [row, student![i]!].map((list) => logSoftmaxOf(list.map((x) => x / 2)));
          return sum(to!.map((p, j) => Math.exp(p) * (p - from![j]!)));
        }),
      ),
  },
  "direct preference": preference(0.5, 0),
  "direct preference that may be wrong": preference(0.5, 0.2),
};

describe("each loss", () => {
  for (const [name, { operands, shapes = {}, feeds: fixed = {}, build, expected }] of Object.entries(cases)) {
    const count = (key: string) => operands[key]!.flat().length;
    const shapeOf = (key: string): readonly number[] => {
      const given = shapes[key];
      if (!given) return [operands[key]!.length, operands[key]![0]!.length];
      return given.length === 3
        ? [2, 3, 4]
        : given.map((dim) => (dim === "batch" ? count(key) / (given.length > 1 ? 4 : 1) : Number(dim)));
    };
    const symbolic = (key: string) =>
      shapes[key] ?? shapeOf(key).map((dim, i) => (i === 0 && fixed.labels ? "batch" : dim));

    it(`${name}: agrees with float64`, async () => {
      const keys = Object.keys(operands);
      const nodes = Object.fromEntries(keys.map((key) => [key, input(key, symbolic(key))]));
      const values = Object.fromEntries(keys.map((key) => [key, tensor(shapeOf(key), operands[key]!.flat())]));
      const found = await evaluate({ loss: build(nodes) }, { ...values, ...fixed });
      assert.deepEqual(found.loss!.shape, []);
      assertClose(numbers(found.loss), [expected(operands)], 2e-6);
    });

    it(`${name}: differentiates`, async () => {
      const keys = Object.keys(operands);
      const error = await worstError({
        operands: Object.fromEntries(keys.map((key) => [key, symbolic(key)])),
        sizes: { batch: shapeOf(keys[0]!)[0]! },
        build,
        values: Object.fromEntries(keys.map((key) => [key, Float32Array.from(operands[key]!.flat())])),
        feeds: fixed,
      });
      assert.ok(error < tolerance, `off by ${error}`);
    });
  }
});

describe("losses at the edge", () => {
  const x = input("x", ["batch", 4]);

  it("stay finite where sigmoid and softmax saturate", async () => {
    const wide = input("wide", ["batch"]);
    const loss = binaryCrossEntropy(wide, input("targets", ["batch"]));
    const found = await evaluate(
      { loss, d: gradients(loss, [wide]).get(wide)! },
      { wide: tensor([4], [1e4, -1e4, 200, -200]), targets: tensor([4], [0, 1, 1, 0]) },
    );
    assertClose(numbers(found.loss), [5000], 1e-6);
    assertClose(numbers(found.d), [0.25, -0.25, 0, 0], 1e-6);
  });

  it("are zero, with no gradient, for a batch whose every label is ignored", async () => {
    const loss = crossEntropy(x, labelNode, undefined, { ignoreIndex: -100 });
    const found = await evaluate(
      { loss, d: gradients(loss, [x]).get(x)! },
      { x: tensor([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), labels: tensor([2], Int32Array.of(-100, -100)) },
    );
    assert.deepEqual([...numbers(found.loss), ...numbers(found.d)], Array(9).fill(0));
  });

  it("have a gradient for an anchor that lies on its positive", async () => {
    const loss = triplet(x, input("same", ["batch", 4]), input("other", ["batch", 4]));
    const same = tensor([1, 4], [1, 2, 3, 4]);
    const found = await evaluate(
      { d: gradients(loss, [x]).get(x)! },
      { x: same, same, other: tensor([1, 4], [1, 2, 3, 4.5]) },
    );
    assertClose(numbers(found.d), [0, 0, 0, 1], 1e-6);
  });

  it("sum the log-probabilities of a text's next tokens", async () => {
    const found = await evaluate(
      { y: textLogProbabilities(input("logits", textShape), textNode) },
      { ...textFeeds, logits: tensor([2, 3, 4], texts.logits.flat()) },
    );
    const next = [
      [1, 0],
      [undefined, 1],
    ];
    const expected = next.map((list, text) =>
      sum(list.map((label, i) => (label === undefined ? 0 : logSoftmaxOf(texts.logits[text * 3 + i]!)[label]!))),
    );
    assertClose(numbers(found.y), expected, 2e-6);
  });
});
