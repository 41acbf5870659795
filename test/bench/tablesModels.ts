/** Our models of tables, from training rows to what they say of the others. */
import {
  crossEntropy,
  input,
  type LinearModelName,
  linearLoss,
  linearModel,
  meanSquaredError,
  type Node,
  tabularInputs,
  tabularModel,
} from "../../shared/engine/index.ts";
import { learnEncoding } from "../../shared/engine/tables/encoding.ts";
import { oneHotFeatures, tableInputs, tableShape } from "../../shared/engine/tables/features.ts";
import { type FitOptions, fit } from "../../shared/engine/training/fit.ts";
import type { Tensors } from "../../shared/engine/training/fitGraph.ts";
import { takeRows } from "../../shared/engine/training/fitRows.ts";
import { predict } from "../../shared/engine/training/predict.ts";
import type { Targets } from "./tables.ts";
import type { Fold } from "./tablesData.ts";

/** Of each row of the test: its class, or its number. */
export type Learned = Float32Array;

type Recipe = Pick<FitOptions, "model" | "loss" | "batch" | "epochs" | "learningRate" | "dropout" | "average">;

const [batch, linearSteps, seed] = [256, 3000, 1];

/**
 * scikit-learn's objective: half the squared norm plus the sum of losses, which is a penalty of 1 / rows on their mean.
 */
export function learnLinear(name: LinearModelName) {
  return ({ encoding, train, test }: Fold, targets: Targets): Promise<Learned> => {
    const x = { train: { x: oneHotFeatures(encoding, train) }, test: { x: oneHotFeatures(encoding, test) } };
    const features = x.train.x.shape[1]!;
    const outputs = targets.classes ?? 1;
    const l2 = name === "linearRegression" ? 0 : 1 / train.length;
    return learn(x, targets, {
      model: (scope) => linearModel(scope, input("x", ["batch", features]), { features, outputs }),
      loss: (scores, scope) => linearLoss(name, scope, { scores, targets: targetNode(targets) }, { l2 }),
      batch,
      // Convex, so more steps only come nearer to the one answer.
      epochs: Math.ceil((linearSteps * batch) / train.length),
      learningRate: 0.01,
    });
  };
}

/** Classes of tables are noisy: there it is easier to learn too much than too little. */
const perceptrons = {
  classes: { bins: 16, hidden: [64], epochs: 20, dropout: 0.5 },
  numbers: { bins: 32, hidden: [128, 64], epochs: 30, dropout: 0.1 },
};

/** Numbers in bins and categories as vectors: see `LearnEncodingOptions` and `tabularModel`. */
export function learnPerceptron({ train, test, ...fold }: Fold, targets: Targets): Promise<Learned> {
  const { bins, hidden, ...recipe } = targets.classes ? perceptrons.classes : perceptrons.numbers;
  const { columns: given, missing } = fold.encoding;
  const encoding = learnEncoding(train, { columns: given.map(({ name }) => name), missing, bins });
  const config = { ...tableShape(encoding), hidden, outputs: targets.classes ?? 1 };
  const columns = { train: tableInputs(encoding, train), test: tableInputs(encoding, test) };
  return learn(columns, targets, {
    model: (scope, training) => tabularModel(scope, tabularInputs(config), config, training),
    loss: (output) => (targets.classes ? crossEntropy : meanSquaredError)(output, targetNode(targets)),
    ...recipe,
    batch,
    learningRate: 2e-3,
    average: 0.95,
  });
}

function targetNode({ classes }: Targets): Node {
  return classes ? input("targets", ["batch"], "int32") : input("targets", ["batch", 1]);
}

async function learn(columns: { train: Tensors; test: Tensors }, targets: Targets, recipe: Recipe): Promise<Learned> {
  const { mean, deviation } = scaleOf(targets);
  const wanted = targets.classes
    ? { shape: [targets.train.length], data: Int32Array.from(targets.train) }
    : { shape: [targets.train.length, 1], data: targets.train.map((value) => (value - mean) / deviation) };
  const known = { ...columns.train, targets: wanted };
  const { weights } = await fit({
    ...recipe,
    rows: targets.train.length,
    feeds: (rows) => takeRows(known, rows),
    stepsPerCall: 16,
    seed,
  });
  const asked = { rows: targets.test.length, feeds: (rows: Int32Array) => takeRows(columns.test, rows) };
  const { data, shape } = await predict({ model: recipe.model, weights, batch: 2048, ...asked });
  const scores = data as Float32Array;
  if (!targets.classes) return scores.map((value) => value * deviation + mean);
  return Float32Array.from({ length: shape[0]! }, (_, row) => highest(scores, row, shape[1]!));
}

/** What turns the training targets into numbers of mean 0 and deviation 1. */
function scaleOf({ train }: Targets): { mean: number; deviation: number } {
  const mean = train.reduce((sum, value) => sum + value, 0) / train.length;
  return { mean, deviation: Math.sqrt(train.reduce((sum, value) => sum + (value - mean) ** 2, 0) / train.length) };
}

function highest(scores: Float32Array, row: number, classes: number): number {
  const own = scores.subarray(row * classes, (row + 1) * classes);
  return own.indexOf(Math.max(...own));
}
