/** How good models of tables are, beside scikit-learn's, which learn from the same rows. */
import { performance } from "node:perf_hooks";
import { oneHotFeatures } from "../../shared/engine/tables/features.ts";
import { rootMeanSquaredError } from "../../shared/engine/training/metrics.ts";
import { whereDataIsSought } from "./dataSets.ts";
import { type Estimated, type Estimator, scikitLearn } from "./scikitLearn.ts";
import type { Bench, Suite } from "./suite.ts";
import { type Fold, readTable, type Table, type TableName } from "./tablesData.ts";
import { type Learned, learnLinear, learnPerceptron } from "./tablesModels.ts";

/** Ours, and what of scikit-learn it is set against. */
interface Method {
  name: string;
  learn: (fold: Fold, targets: Targets) => Promise<Learned>;
  estimator: Estimator;
}

/** What is to be told of each row of a fold: classes from 0, or numbers. */
export interface Targets {
  train: Float32Array;
  test: Float32Array;
  /** Undefined for numbers. */
  classes?: number;
}

const classifiers: Method[] = [
  { name: "logistic", learn: learnLinear("logisticRegression"), estimator: "LogisticRegression" },
  { name: "svm", learn: learnLinear("linearSupportVectors"), estimator: "LinearSVC" },
  { name: "mlp", learn: learnPerceptron, estimator: "MLPClassifier" },
];
const regressors: Method[] = [
  { name: "linear", learn: learnLinear("linearRegression"), estimator: "LinearRegression" },
  { name: "mlp", learn: learnPerceptron, estimator: "HistGradientBoostingRegressor" },
];

interface Case {
  table: TableName;
  methods: Method[];
  targetsOf: (table: Table) => Targets[];
  unit: "percent" | "dollars";
  judge: (predictions: number[], targets: number[]) => number;
}

const percentRight = (predictions: number[], targets: number[]) =>
  (100 * targets.filter((target, row) => predictions[row] === target).length) / targets.length;
const classification = { methods: classifiers, targetsOf: classes, unit: "percent", judge: percentRight } as const;

const cases: Case[] = [
  { table: "adult", ...classification },
  { table: "telco_churn", ...classification },
  {
    table: "california_housing",
    methods: regressors,
    targetsOf: numbers,
    unit: "dollars",
    judge: rootMeanSquaredError,
  },
];

export const tables: Suite = async ({ emit, tell }) => {
  for (const one of cases) {
    const table = readTable(one.table);
    if (table) await compare(one, table, { emit, tell });
    else tell(`${one.table}: left out, it is not in ${whereDataIsSought}`);
  }
  return "done";
};

async function compare({ table: set, methods, targetsOf, unit, judge }: Case, table: Table, { emit, tell }: Bench) {
  const targets = targetsOf(table);
  const truth = targets.flatMap(({ test }) => [...test]);
  tell(
    `${set}: ${table.folds[0]!.train.length} rows to learn from, ${table.folds.length} times; ${truth.length} to judge by`,
  );
  for (const { name, learn, estimator } of methods) {
    const [ours, theirs]: [number[], Estimated[]] = [[], []];
    const start = performance.now();
    for (const [i, fold] of table.folds.entries()) ours.push(...(await learn(fold, targets[i]!)));
    const value = judge(ours, truth);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    tell(`${set}: ${name} is at ${value.toFixed(2)} ${unit} after ${seconds} s; now ${estimator}`);
    for (const [i, fold] of table.folds.entries()) {
      const found = await estimate(estimator, fold, targets[i]!);
      if (found) theirs.push(found);
    }
    const predictions = theirs.flatMap((found) => found.predictions);
    emit({
      case: `${set}/${name}`,
      value,
      unit,
      baseline: theirs.length > 0 ? judge(predictions, truth) : null,
      baseline_source: theirs.length > 0 ? `${estimator}, scikit-learn ${theirs[0]!.version}` : "none",
    });
  }
}

/** Given what our linear models are given: numbers of mean 0 and deviation 1, and a column for each value of a category. */
function estimate(estimator: Estimator, { encoding, train, test }: Fold, targets: Targets) {
  const features = { train: oneHotFeatures(encoding, train), test: oneHotFeatures(encoding, test) };
  return scikitLearn({ estimator, ...features, targets: targets.train, seed: 1 });
}

function classes({ folds, target }: Table): Targets[] {
  const names = [...new Set(folds[0]!.train.map((row) => row[target]!))].sort();
  const of = (rows: Fold["train"]) => Float32Array.from(rows, (row) => names.indexOf(row[target]!));
  return folds.map(({ train, test }) => ({ train: of(train), test: of(test), classes: names.length }));
}

function numbers({ folds, target }: Table): Targets[] {
  const of = (rows: Fold["train"]) => Float32Array.from(rows, (row) => Number(row[target]));
  return folds.map(({ train, test }) => ({ train: of(train), test: of(test) }));
}
