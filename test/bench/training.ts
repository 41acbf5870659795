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
  const feeds = batchOf(batch, sequence);
  const peers = await startTorch(batch, sequence);
  const times: Record<string, number[]> = await interleaved(rounds, {
    product: product.run,
    lora: () => ours.lora.run(feeds),
    int8: () => ours.int8.run(feeds),
    full: () => ours.full.run(feeds),
    ...Object.fromEntries(peers.map((peer) => [nameOf(peer), peer.step])),
  });
  for (const peer of peers) peer.stop();
  await Promise.all([...Object.values(ours), product].map(({ release }) => release()));
  emitShare({ emit, tell }, times, {
    lora: matmulOperations(lora.step, { batch, sequence }),
    product: product.operations,
  });
  for (const method of methods) {
    const best = peers
      .filter((peer) => peer.method === method)
      .sort((a, b) => median(times[nameOf(a)]!) - median(times[nameOf(b)]!))[0];
    const baseline = best ? { baseline: median(times[nameOf(best)]!), baseline_source: sourceOf(best) } : noBaseline;
    emit({ case: `${method}/step`, value: median(times[method]!), unit: "milliseconds", ...baseline });
  }
  const source = { baseline: median(times.lora!), baseline_source: "lora/step" };
  emit({ case: "int8/step", value: median(times.int8!), unit: "milliseconds", ...source });
  await memory({ emit, tell }, peers);
}

const nameOf = ({ method, threads: count }: Torch) => `PyTorch ${method} ${count}`;
const sourceOf = ({ version, threads: count }: Torch) =>
  `PyTorch ${version}, the faster of 1 and ${threads} threads: ${count}`;

/** How near a step comes to what its products would take at the rate of a large one, round by round. */
function emitShare(
  { emit }: Bench,
  times: Record<string, number[]>,
  operations: { lora: number; product: number },
): void {
  const rates = times.product!.map((time) => operations.product / time);
  const shares = times.lora!.map((time, round) => operations.lora / time / rates[round]!);
  const gigaflops = (median(rates) / 1e6).toFixed(0);
  const baseline = { baseline: 85, baseline_source: `bar; the peak is a large fp32 matmul's ${gigaflops} GFLOP/s` };
  emit({ case: "lora/of-peak", value: 100 * median(shares), unit: "percent", ...baseline });
}

async function memory({ emit, tell }: Bench, peers: readonly Torch[]): Promise<void> {
  tell("training: memory, each case in a process of its own");
  const cases = [
    ["lora", "lora", "float32"],
    ["full", "full", "float32"],
    ["int8", "lora", "int8"],
  ] as const;
  for (const [name, method, precision] of cases) {
    const peer = peers.find((one) => one.method === method);
    const baseline = peer ? { baseline: peer.peak(), baseline_source: `PyTorch ${peer.version}` } : noBaseline;
    const value = await peakMebibytes(method, precision, batch, sequence);
    emit({ case: `${name}/memory`, value, unit: "mebibytes", ...baseline });
  }
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
