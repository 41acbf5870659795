/**
 * Training steps of an encoder of the size of MiniLM-L6 beside PyTorch's and beside this machine's own arithmetic; int8,
 * loops, memory, and how speed changes with size.
 */
import { type Dim, input, matmul, normals, parameter, toOnnx } from "../../shared/engine/index.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import { readDataSet, whereDataIsSought } from "./dataSets.ts";
import type { Bench, Suite } from "./suite.ts";
import { exponent, interleaved, median, timed } from "./timing.ts";
import { int8Accuracy } from "./trainingAccuracy.ts";
import { peakMebibytes } from "./trainingMemory.ts";
import { batchOf, matmulOperations, methods, type Workload, workload } from "./trainingModel.ts";
import { int8Stepper, loopStepper, stacked, stepper, threads } from "./trainingStepper.ts";
import { startTorch, type Torch } from "./trainingTorch.ts";

const [batch, sequence] = [16, 64];
const rounds = 7;
const noBaseline = { baseline: null, baseline_source: "none" };

export const training: Suite = async (bench) => {
  await steps(bench);
  await loops(bench);
  await sizes(bench);
  await accuracies(bench);
  return "done";
};

/** Steps, arithmetic and PyTorch in turn; then the memory of each. */
async function steps({ emit, tell }: Bench): Promise<void> {
  tell(`training: ${rounds} rounds of steps on ${threads} threads, ${batch} texts of ${sequence} tokens`);
  const [lora, full] = [workload("lora"), workload("full")];
  const ours = { lora: await stepper(lora), int8: await int8Stepper(lora), full: await stepper(full) };
  const product = await largeProduct();
  const torch = { lora: await startTorch("lora", batch, sequence), full: await startTorch("full", batch, sequence) };
  const feeds = batchOf(batch, sequence);
  const peaks = { lora: 0, full: 0 };
  const peer = (method: "lora" | "full") => async () => {
    const found = await torch[method]?.step();
    peaks[method] = found?.mebibytes ?? 0;
    return found?.milliseconds ?? Number.NaN;
  };
  const times = await interleaved(rounds, {
    product: product.run,
    lora: () => ours.lora.run(feeds),
    int8: () => ours.int8.run(feeds),
    full: () => ours.full.run(feeds),
    torchLora: peer("lora"),
    torchFull: peer("full"),
  });
  await Promise.all([...Object.values(ours), product].map(({ release }) => release()));
  for (const one of Object.values(torch)) one?.stop();
  const operations = matmulOperations(lora.step, { batch, sequence });
  const rate = product.operations / median(times.product);
  const shares = times.lora.map((time, round) => operations / time / (product.operations / times.product[round]!));
  emit({
    case: "lora/of-peak",
    value: 100 * median(shares),
    unit: "percent",
    baseline: 85,
    baseline_source: `bar; the peak is a large fp32 matmul's ${(rate / 1e6).toFixed(0)} GFLOP/s`,
  });
  const step = (name: string, found: number[], theirs: number[], source: string) => {
    const baseline = Number.isNaN(theirs[0]) ? noBaseline : { baseline: median(theirs), baseline_source: source };
    emit({ case: `${name}/step`, value: median(found), unit: "milliseconds", ...baseline });
  };
  step("lora", times.lora, times.torchLora, nameOf(torch.lora));
  step("full", times.full, times.torchFull, nameOf(torch.full));
  step("int8", times.int8, times.lora, "lora/step");
  await memory({ emit, tell }, peaks, nameOf(torch.lora));
}

const nameOf = (torch: Torch | undefined) => `PyTorch ${torch?.version}`;

async function memory({ emit, tell }: Bench, theirs: { lora: number; full: number }, source: string): Promise<void> {
  tell("training: memory, each case in a process of its own");
  for (const method of methods) {
    const value = await peakMebibytes(method, "float32", batch, sequence);
    const baseline = theirs[method] ? { baseline: theirs[method], baseline_source: source } : noBaseline;
    emit({ case: `${method}/memory`, value, unit: "mebibytes", ...baseline });
  }
  const value = await peakMebibytes("lora", "int8", batch, sequence);
  const baseline = theirs.lora ? { baseline: theirs.lora, baseline_source: source } : noBaseline;
  emit({ case: "int8/memory", value, unit: "mebibytes", ...baseline });
}

/** A chain of products with fixed square matrices: what the machine's fp32 arithmetic can do at best. */
async function largeProduct(size = 1024, length = 8) {
  const weights = Array.from({ length }, (_, i) => parameter(`w${i}`, [size, size]));
  const y = weights.reduce(matmul, input("x", ["rows" as Dim, size]));
  const data = weights.map(
    ({ name }, i) => [name!, normals(size * size, { seed: i, deviation: size ** -0.5 })] as const,
  );
  const session = await createSession(toOnnx({ outputs: { y }, initializers: Object.fromEntries(data) }), { threads });
  const x = { shape: [size, size], data: normals(size * size, { seed: length }) };
  return {
    operations: 2 * length * size ** 3,
    run: () => timed(() => session.run({ x })),
    release: () => session.release(),
  };
}

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
    const times = await interleaved(3, {
      loop: () => loop.run(all),
      single: () =>
        timed(async () => {
          for (let i = 0; i < count; i++) await single.run(feeds);
        }),
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
    const points: [number, number][] = [];
    for (const size of sizes) {
      const work = name === "layers" ? workload("lora", { layers: size }) : built;
      const shape = { batch, sequence, [name]: size };
      const perSecond = await tokensPerSecond(work, shape.batch, shape.sequence);
      points.push([size, perSecond]);
      emit({ case: `lora/${name}=${size}`, value: perSecond, unit: "per second", ...noBaseline });
    }
    emit({ case: `lora/by-${name}`, value: exponent(points), unit: "exponent", ...noBaseline });
  }
}

async function tokensPerSecond(work: Workload, rows: number, length: number): Promise<number> {
  const { run, release } = await stepper(work);
  const times = await interleaved(3, { step: () => run(batchOf(rows, length)) });
  await release();
  return (1000 * rows * length) / median(times.step);
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
