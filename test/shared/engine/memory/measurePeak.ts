/** The process whose memory is measured, run with `--expose-gc`: some steps of one model; prints a `MeasuredPeak` as JSON. */
import {
  adamw,
  carryOver,
  chain,
  clipByGlobalNorm,
  initialize,
  input,
  type Tensor,
  toOnnx,
  trainingStep,
} from "../../../../shared/engine/index.ts";
import { memoryReport } from "../../../../shared/engine/memory/report.ts";
import { layerBoundaries } from "../../../../shared/engine/recompute.ts";
import { createSession } from "../../../../shared/engine/runtime/session.ts";
import type { MeasuredPeak, PeakRequest } from "./measured.ts";
import { sizedModels } from "./sizedModels.ts";

const request: PeakRequest = JSON.parse(process.argv[2]!);
const { loss, parameters, feeds, bindings } = sizedModels[request.model](request);
const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: input("learning_rate", []) }));
const boundaries = request.recompute ? layerBoundaries(loss) : undefined;
const step = trainingStep({ loss, parameters, optimizer, boundaries });
const predicted = memoryReport(step, bindings).total;
const session = await createSession(toOnnx({ outputs: step.outputs }), { threads: 2 });

const before = process.memoryUsage().rss;
let carried = firstTensors();
let last = Number.NaN;
for (let i = 0; i < request.steps; i++) {
  const learning_rate = { shape: [], data: Float32Array.of(1e-4) };
  const results = await session.run({ ...feeds, learning_rate, ...carried });
  last = results.loss!.data[0] as number;
  // One copy waits to be collected, as reports have it. Left to itself the collector leaves one to three, as it happens.
  gc!();
  carried = carryOver(step, results);
}
const measured = process.resourceUsage().maxRSS * 1024 - before;
const answer: MeasuredPeak = { measured, predicted, before, loss: last };
process.stdout.write(JSON.stringify(answer));

/** Every page written, as it would be from the second step on. */
function firstTensors(): Record<string, Tensor> {
  const data = initialize(parameters, 1);
  const weights = parameters.map(
    ({ name, type }) => [name!, { shape: type.shape as number[], data: data[name!]! }] as const,
  );
  const states = Object.entries(step.initialState).map(
    ([name, { shape, data }]) => [name, { shape, data: data.slice().fill(0 as never) }] as const,
  );
  return Object.fromEntries([...weights, ...states]);
}
