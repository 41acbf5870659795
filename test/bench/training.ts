/**
 * Training steps of an encoder of the size of MiniLM-L6 beside PyTorch's and beside this machine's own arithmetic; int8,
 * loops, memory, and how speed changes with size.
 */
import { readDataSet, whereDataIsSought } from "./dataSets.ts";
import type { Bench, Suite } from "./suite.ts";
import { exponent, interleaved, median } from "./timing.ts";
import { int8Accuracy } from "./trainingAccuracy.ts";
import { batchOf, type Workload, workload } from "./trainingModel.ts";
import { loopStepper, spent, stacked, stepper } from "./trainingStepper.ts";
import { batch, noBaseline, sequence, steps } from "./trainingSteps.ts";

const rounds = 3;

export const training: Suite = async (bench) => {
  await steps(bench);
  await loops(bench);
  await sizes(bench);
  await accuracies(bench);
  return "done";
};

/** Some steps in one call, against as many calls. */
async function loops({ emit, tell }: Bench): Promise<void> {
  for (const [method, count] of [
    ["lora", 8],
    ["full", 4],
  ] as const) {
    tell(`training: ${count} ${method} steps in one call, and in ${count}`);
    const work = workload(method);
    const [single, loop] = [await stepper(work), await loopStepper(work)];
    const feeds = batchOf(batch, sequence);
    const all = stacked(feeds, count);
    const inCalls = async () => {
      for (let i = 0; i < count; i++) await single.run(feeds);
    };
    const times = await interleaved(rounds, {
      loop: async () => (await loop.run(all)).wall,
      single: async () => (await spent(inCalls)).wall,
    });
    await Promise.all([single.release(), loop.release()]);
    const baseline = { baseline: median(times.single) / count, baseline_source: `a step of ${count} single calls` };
    emit({ case: `${method}/loop-step`, value: median(times.loop) / count, unit: "milliseconds", ...baseline });
  }
}

interface Axis {
  readonly name: "sequence" | "batch" | "layers";
  readonly sizes: readonly number[];
}

const axes: readonly Axis[] = [
  { name: "sequence", sizes: [16, 32, 64, 128, 256] },
  { name: "batch", sizes: [2, 4, 8, 16, 32] },
  { name: "layers", sizes: [2, 4, 6, 8] },
];

/** Tokens per second as one size grows, and the power of the size that they go with. */
async function sizes({ emit, tell }: Bench): Promise<void> {
  const built = workload("lora");
  for (const { name, sizes } of axes) {
    tell(`training: tokens per second by ${name}`);
    const cases = await Promise.all(sizes.map((size) => caseOfSize(built, name, size)));
    const times = await interleaved(rounds, Object.fromEntries(cases.map(({ size, run }) => [`at ${size}`, run])));
    await Promise.all(cases.map(({ release }) => release()));
    const points = cases.map(({ size, tokens }) => [size, (1000 * tokens) / median(times[`at ${size}`]!)] as const);
    for (const [size, value] of points) {
      emit({ case: `lora/${name}=${size}`, value, unit: "per second", ...noBaseline });
    }
    emit({ case: `lora/by-${name}`, value: exponent(points), unit: "exponent", ...noBaseline });
  }
}

async function caseOfSize(built: Workload, name: Axis["name"], size: number) {
  const { run, release } = await stepper(name === "layers" ? workload("lora", { layers: size }) : built);
  const shape = { batch, sequence, [name]: size };
  const feeds = batchOf(shape.batch, shape.sequence);
  return { size, tokens: shape.batch * shape.sequence, run: async () => (await run(feeds)).wall, release };
}

async function accuracies({ emit, tell }: Bench): Promise<void> {
  const [source, target] = [readDataSet("clinc150", "oos"), readDataSet("banking77")];
  if (!source || !target) return tell(`accuracy: left out, clinc150 or banking77 is not in ${whereDataIsSought}`);
  const found = await int8Accuracy(source, target, [1, 2, 3], tell);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const baseline = { baseline: mean(found.float32), baseline_source: "the same over float32, mean of three seeds" };
  emit({ case: "int8/banking77", value: mean(found.int8), unit: "percent", ...baseline });
  emit({ case: "int8/same-answers", value: mean(found.agreement), unit: "percent", ...noBaseline });
}
