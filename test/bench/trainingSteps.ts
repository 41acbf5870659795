/** Training steps, the machine's own arithmetic and PyTorch, all taken in turn; then the memory of each. */
import { type Dim, input, matmul, normals, parameter, toOnnx } from "../../shared/engine/index.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import type { Bench } from "./suite.ts";
import { interleaved, median } from "./timing.ts";
import { peakMebibytes } from "./trainingMemory.ts";
import { batchOf, type Method, matmulOperations, methods, workload } from "./trainingModel.ts";
import { int8Stepper, type Spent, spent, stepper, threads } from "./trainingStepper.ts";
import { allCores, installed, startTorch, type Torch } from "./trainingTorch.ts";

export const [batch, sequence] = [16, 64];
const rounds = 7;
/** Memory is fresh in the first steps of a process, which take twice as long. */
const warmUp = 2;
export const noBaseline = { baseline: null, baseline_source: "none" };

type Times = Readonly<Record<string, Spent[]>>;

export async function steps({ emit, tell }: Bench): Promise<void> {
  tell(`training: ${rounds} rounds of steps on ${threads} threads, ${batch} texts of ${sequence} tokens`);
  const [lora, full] = [workload("lora"), workload("full")];
  const ours = { lora: await stepper(lora), int8: await int8Stepper(lora), full: await stepper(full) };
  const product = await largeProduct();
  const feeds = batchOf(batch, sequence);
  const peers = await startTorch(batch, sequence);
  const times = await timesOf({
    product: product.run,
    lora: () => ours.lora.run(feeds),
    int8: () => ours.int8.run(feeds),
    full: () => ours.full.run(feeds),
    ...Object.fromEntries(peers.map((peer) => [nameOf(peer), peer.step])),
  });
  for (const peer of peers) peer.stop();
  await Promise.all([...Object.values(ours), product].map(({ release }) => release()));
  const operations = matmulOperations(lora.step, { batch, sequence });
  emitShare({ emit, tell }, times, { lora: operations, product: product.operations });
  for (const method of methods) emitBesideTorch({ emit, tell }, times, method, peers);
  for (const measure of ["wall", "processor"] as const) {
    const beside = { baseline: middle(times.lora!, measure), baseline_source: `lora/${caseOf[measure]}` };
    const value = middle(times.int8!, measure);
    emit({ case: `int8/${caseOf[measure]}`, value, unit: "milliseconds", ...beside });
  }
  await memory({ emit, tell }, peers);
}

async function timesOf(cases: Readonly<Record<string, () => Promise<Spent>>>): Promise<Times> {
  const all = Object.entries(cases).map(([name, run]) => ({ name, run, found: [] as Spent[] }));
  const each = all.map(({ name, run, found }) => {
    const once = async () => {
      const now = await run();
      found.push(now);
      return now.wall;
    };
    return [name, once] as const;
  });
  // `interleaved` counts all rounds but the first.
  await interleaved(warmUp + rounds - 1, Object.fromEntries(each));
  return Object.fromEntries(all.map(({ name, found }) => [name, found.slice(warmUp)]));
}

const caseOf = { wall: "step", processor: "processor" } as const;
const middle = (times: readonly Spent[], measure: keyof Spent) => median(times.map((time) => time[measure]));
const nameOf = ({ method, setting }: Torch) => `PyTorch ${method} ${setting}`;

/**
 * `step` is beside PyTorch as it is installed, `step-all-cores` beside PyTorch asked for as many threads as we have,
 * `step-tuned` beside the fastest of its settings, and `processor`, which does not count waiting, beside the setting
 * that works least.
 */
function emitBesideTorch({ emit }: Bench, times: Times, method: Method, all: readonly Torch[]): void {
  const peers = all.filter((peer) => peer.method === method);
  const baselineOf = (peer: Torch | undefined, measure: keyof Spent) =>
    peer ? { baseline: middle(times[nameOf(peer)]!, measure), baseline_source: peer.title } : noBaseline;
  const least = (measure: keyof Spent) =>
    peers.toSorted((a, b) => middle(times[nameOf(a)]!, measure) - middle(times[nameOf(b)]!, measure))[0];
  const called = (name: string) => peers.find(({ setting }) => setting === name);
  const unit = "milliseconds";
  const [wall, processor] = [middle(times[method]!, "wall"), middle(times[method]!, "processor")];
  emit({ case: `${method}/step`, value: wall, unit, ...baselineOf(called(installed), "wall") });
  emit({ case: `${method}/step-all-cores`, value: wall, unit, ...baselineOf(called(allCores), "wall") });
  emit({ case: `${method}/step-tuned`, value: wall, unit, ...baselineOf(least("wall"), "wall") });
  emit({ case: `${method}/processor`, value: processor, unit, ...baselineOf(least("processor"), "processor") });
}

/** How near a step comes to what its products would take at the rate of a large one, round by round. */
function emitShare({ emit }: Bench, times: Times, operations: { lora: number; product: number }): void {
  const rates = times.product!.map(({ wall }) => operations.product / wall);
  const shares = times.lora!.map(({ wall }, round) => operations.lora / wall / rates[round]!);
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
    const baseline = peer ? { baseline: peer.peak(), baseline_source: peer.title } : noBaseline;
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
    run: () => spent(() => session.run({ x })),
    release: () => session.release(),
  };
}
