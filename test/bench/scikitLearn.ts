/** Estimators of scikit-learn, fitted beside ours to the same numbers, where scikit-learn is there. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tensor } from "../../shared/engine/index.ts";
import { python } from "./linearSvc.ts";

/** With what options: see `scikitLearn.py`. */
export type Estimator =
  | "LinearRegression"
  | "HistGradientBoostingRegressor"
  | "LogisticRegression"
  | "LinearSVC"
  | "KNeighborsClassifier"
  | "MLPClassifier"
  | "SVC"
  | "SVC balanced";

export interface EstimatorTask {
  estimator: Estimator;
  /** float32 [rows, width]. */
  train: Tensor;
  /** Classes or numbers, [rows of train]. */
  targets: ArrayLike<number>;
  /** float32 [rows, width]. */
  test: Tensor;
  seed: number;
}

export interface Estimated {
  /** Of each row of the test: its class, or its number. */
  predictions: number[];
  /** How surely it is of the second of two classes; of other tasks, no use. */
  scores: number[];
  /** Of training. */
  seconds: number;
  version: string;
}

/** Undefined where there is no scikit-learn. */
export async function scikitLearn({ train, test, targets, ...task }: EstimatorTask): Promise<Estimated | undefined> {
  if (!python) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    const arrays = { train: train.data, test: test.data, targets };
    for (const [name, values] of Object.entries(arrays)) {
      writeFileSync(join(directory, name), Float32Array.from(values as ArrayLike<number>));
    }
    return await run(python, JSON.stringify({ ...task, width: train.shape[1], directory }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(python: string, task: string): Promise<Estimated> {
  const script = fileURLToPath(new URL("scikitLearn.py", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = execFile(python, [script], { maxBuffer: 2 ** 26 }, (error, output) => {
      process.off("exit", stop);
      if (error) reject(error);
      else resolve(JSON.parse(output) as Estimated);
    });
    // Whoever is interrupted does not leave it running.
    const stop = () => child.kill();
    process.once("exit", stop);
    child.stdin!.end(task);
  });
}
