/** The models a job on tables has to choose from, and what is kept of the one that was chosen. */
import { input, type Node } from "../graph.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { slice } from "../ops/layout.ts";
import type { TableEncoding, TableRow } from "../tables/encoding.ts";
import { tableShape } from "../tables/features.ts";
import { additiveModel, type TabularConfig, type TabularInputs, tabularModel } from "./tabular.ts";
import type { TrainingContext } from "./trainingContext.ts";

/** Each has its weights under its own name. */
export const tabularModels: Readonly<Record<TabularModelName, TabularModel>> = {
  additive: (scope, inputs, config) => additiveModel(scope.scope("additive"), inputs, config),
  perceptron: (scope, inputs, config, training) => tabularModel(scope.scope("perceptron"), inputs, config, training),
};

/** float32 [batch, classes]. */
type TabularModel = (
  scope: WeightScope,
  inputs: TabularInputs,
  config: TabularConfig,
  training?: TrainingContext,
) => Node;

export type TabularModelName = "additive" | "perceptron";

/** What serving must know of a model of tables besides its weights. */
export interface TableConfig {
  encoding: TableEncoding;
  model: TabularModelName;
}

/** Classes of tables are noisy: there it is easier to learn too much than too little. */
const hidden = [64];

export function tabularConfig(encoding: TableEncoding, classes: number): TabularConfig {
  return { ...tableShape(encoding), hidden, outputs: classes };
}

/** A row from the JSON it travels as: every column of the table, those that are missing as an empty cell. No text is no cell. */
export function readRow(text: string, columns: readonly string[]): TableRow {
  const cells = text === "" ? {} : (JSON.parse(text) as TableRow);
  return Object.fromEntries(columns.map((name) => [name, Object.hasOwn(cells, name) ? cells[name]! : ""]));
}

/** float32 [batch, width], rows as `denseRow` gives them. */
export function denseInput({ numbers, categories }: TabularConfig): Node {
  return input("row", ["batch", categories.reduce((sum, values) => sum + values, numbers)]);
}

/** What the models read, cut from dense rows. */
export function fromDense(row: Node, { numbers, categories }: TabularConfig): TabularInputs {
  const ends = categories.map((_, i) => categories.slice(0, i + 1).reduce((sum, values) => sum + values, numbers));
  return {
    numbers: slice(row, { axis: 1, end: numbers }),
    categories: categories.map((values, i) => slice(row, { axis: 1, start: ends[i]! - values, end: ends[i]! })),
  };
}
