/** `millrace-tabular`: rows of tables, each travelling as the JSON of its cells, classified by what a job chose for them. */
import type { Tensor } from "../dataTypes.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { createSession } from "../runtime/session.ts";
import type { TableEncoding, TableRow } from "../tables/encoding.ts";
import { createTableReader } from "../tables/features.ts";
import { resolveAuto } from "../training/learner.ts";
import { dataOf } from "../weights/tensors.ts";
import type { Architecture, Classifier, ClassifierOptions } from "./architectures.ts";
import { tabularInputs } from "./tabular.ts";
import { createTabularLearner } from "./tabularLearner.ts";
import { readRow, type TableConfig, tabularConfig, tabularModels } from "./tabularModels.ts";

/** Rows run together; more save little and take memory. */
const servedBatch = 1024;

export const tabularArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) => {
    const batch_size = Math.max(8, Math.min(256, 2 ** Math.round(Math.log2(Math.max(rows, 1) / 32))));
    const steps = Math.max(1, Math.floor(rows / batch_size));
    // Steps enough to come to an end; passes enough for small tables, and no more for those that show everything often.
    const passes = Math.max(1500 / steps, Math.min(20, 600_000 / Math.max(rows, 1)));
    return resolveAuto(requested, { n_epochs: Math.max(3, Math.min(50, Math.ceil(passes))), batch_size });
  },
  createLearner: createTabularLearner,
  createClassifier,
};

async function createClassifier(
  weights: ReadonlyMap<string, Tensor>,
  { classes, threads, table }: ClassifierOptions,
): Promise<Classifier> {
  const { encoding, model } = requireTable(table);
  const config = tabularConfig(encoding, classes);
  const logits = tabularModels[model](new WeightScope(), tabularInputs(config), config);
  const initializers = dataOf(Object.fromEntries(weights), (name) => name !== "mean_row");
  const session = await createSession(toOnnx({ outputs: { logits }, initializers }), { threads });
  const columns = encoding.columns.map(({ name }) => name);
  const reader = createTableReader(encoding);

  const classifyBatch = async (rows: readonly TableRow[]) => {
    const inputs = reader.inputs(reader.values(rows));
    const fed = session.inputNames.map((name) => [name, inputs[name as keyof typeof inputs]] as const);
    const data = (await session.run(Object.fromEntries(fed))).logits!.data as Float32Array;
    return rows.map((_, i) => data.slice(i * classes, (i + 1) * classes));
  };
  return {
    async classify(texts) {
      const rows = texts.map((text) => readRow(text, columns));
      const logits: Float32Array[] = [];
      for (let start = 0; start < rows.length; start += servedBatch) {
        logits.push(...(await classifyBatch(rows.slice(start, start + servedBatch))));
      }
      const tokens = rows.map((row) => Object.values(row).filter((cell) => cell !== "").length);
      return { logits, tokens, known: rows.map((row) => isKnown(row, encoding)) };
    },
    release: () => session.release(),
  };
}

function requireTable(table: TableConfig | undefined): TableConfig {
  if (!table) throw new TypeError("a model of tables needs the encoding of its columns");
  return table;
}

/** Whether a row has a number, or a value that training had. */
function isKnown(row: TableRow, { columns }: TableEncoding): boolean {
  return columns.some(
    (column) => row[column.name] !== "" && (column.kind === "number" || column.values.includes(row[column.name]!)),
  );
}
