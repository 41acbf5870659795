/** Attribution for models of tables, from the average row of the training rows; exact for a sum over columns. */
import { WeightScope } from "../layers/weightScope.ts";
import { denseInput, fromDense, readRow, tabularConfig, tabularModels } from "../models/tabularModels.ts";
import { createSession } from "../runtime/session.ts";
import { denseRanges, denseRow, tableInputs } from "../tables/features.ts";
import { dataOf } from "../weights/tensors.ts";
import { type Attributor, type AttributorOptions, atOnce, type Turn } from "./attributor.ts";
import { integrate, type Slopes, slopeModel } from "./integratedGradients.ts";

export async function createTabularAttributor({ config, weights, threads }: AttributorOptions): Promise<Attributor> {
  if (!config.table) throw new TypeError("a model of tables needs the encoding of its columns");
  const { encoding, model } = config.table;
  const shape = tabularConfig(encoding, config.labels.length);
  const { mean_row: baseline, ...initializers } = dataOf<Float32Array>(Object.fromEntries(weights));
  const x = denseInput(shape);
  const logits = tabularModels[model](new WeightScope(), fromDense(x, shape), shape);
  const session = await createSession(slopeModel({ logits, x, initializers }), { threads });
  const names = encoding.columns.map(({ name }) => name);
  const ranges = denseRanges(encoding);

  const slopesOf =
    (label: number, turn: Turn): Slopes =>
    async (points) => {
      const data = new Float32Array(points.length * points[0]!.length);
      for (const [i, point] of points.entries()) data.set(point, i * point.length);
      const feeds = {
        row: { shape: [points.length, points[0]!.length], data },
        label: { shape: [points.length], data: new Int32Array(points.length).fill(label) },
      };
      const results = await turn(() => session.run(feeds));
      return { values: results.value!.data as Float32Array, slopes: results.slope!.data as Float32Array };
    };

  return {
    async attribute(text, labels, turn = atOnce) {
      const row = denseRow(tableInputs(encoding, [readRow(text, names)]), shape.categories);
      const answers = [];
      for (const label of labels) {
        const { attributions, value, baselineValue } = await integrate(slopesOf(label, turn), row, baseline!);
        const columns = ranges.map(({ name, start, end }) => {
          return { name, attribution: attributions.subarray(start, end).reduce((sum, part) => sum + part, 0) };
        });
        answers.push({ logit: value, baselineLogit: baselineValue, parts: { columns } });
      }
      return answers;
    },
    release: () => session.release(),
  };
}
