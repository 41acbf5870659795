/** TF-IDF and LinearSVC as what an accuracy is compared with, learned from the same rows in the same run. */
import { accuracyOf, type Measure, macroF1Of } from "./accuracyMeasures.ts";
import type { DataSet } from "./dataSets.ts";
import { type Analyzer, linearSvc } from "./linearSvc.ts";

export interface Compared {
  name: string;
  analyzer: Analyzer;
  /** Percent, for where scikit-learn is not; absent: then there is nothing to compare with. */
  documented?: number;
  measure?: Measure;
}

export interface Baseline {
  percent: number | null;
  source: string;
  /** By row of the test; absent where scikit-learn is not. */
  predictions?: string[];
}

type Rows = Pick<DataSet, "train" | "test">;

export async function baselineOf(one: Compared, set: Rows, tell: (line: string) => void): Promise<Baseline> {
  const { name, analyzer, documented = null, measure = "accuracy" } = one;
  tell(`${name}: the baseline, TF-IDF and LinearSVC`);
  const found = await linearSvc(set, analyzer);
  if (!found) return { percent: documented, source: documented === null ? "none" : "documented" };
  const measured =
    measure === "accuracy" ? accuracyOf(found.predictions, set.test) : macroF1Of(found.predictions, set.test);
  return { percent: 100 * measured, source: `scikit-learn ${found.version}`, predictions: found.predictions };
}
