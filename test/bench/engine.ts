/** What a training step costs, beside what this machine needs for its arithmetic or its memory traffic alone. */
import { performance } from "node:perf_hooks";
import { input, matmul, normals, toOnnx } from "../../shared/engine/index.ts";
import { type ArchitectureName, architectures } from "../../shared/engine/models/architectures.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import { ngrams } from "../../shared/engine/text/ngrams.ts";
import type { Learner } from "../../shared/engine/training/learner.ts";
import { labels, readMails, splitMails } from "../examples/spam/mails.ts";
import type { Suite } from "./suite.ts";

const threads = 2;
const batch = 32;
const steps = 16;

export const engine: Suite = async ({ emit, tell }) => {
  const mails = splitMails(readMails().mails, 1, Math.ceil(batch * steps * 1.25)).train;
  const examples = {
    texts: mails.map(({ text }) => text),
    labels: Int32Array.from(mails, ({ label }) => labels.indexOf(label)),
  };
  tell(`engine: ${steps} steps of ${batch} mails on ${threads} threads`);
  const encoder = await timeSteps("encoder", examples);
  const flops = 6 * encoder.matrixElements * encoder.tokens;
  const matmulRate = await matmulFlopsPerSecond();
  emit({
    case: "encoder/step",
    value: encoder.milliseconds,
    unit: "milliseconds",
    baseline: (1000 * flops) / matmulRate,
    baseline_source: `its multiplications at the rate of a large fp32 matmul (${(matmulRate / 1e9).toFixed(0)} GFLOP/s)`,
  });
  const ngram = await timeSteps("ngram", examples);
  const rate = copyBytesPerSecond();
  emit({
    case: "ngram/step",
    value: ngram.milliseconds,
    unit: "milliseconds",
    baseline: (1000 * bytesMoved(examples.texts)) / rate,
    baseline_source: `weights and moments read and written in one piece (${(rate / 1e9).toFixed(1)} GB/s)`,
  });
  return "done";
};

interface Examples {
  texts: string[];
  labels: Int32Array;
}

/** The median step, the first left out, and what its matrices multiply. */
async function timeSteps(architecture: ArchitectureName, train: Examples) {
  const nothing = { texts: [], labels: new Int32Array(0) };
  const hyperparameters = { n_epochs: 1, batch_size: batch, learning_rate_multiplier: 1 };
  const options = {
    train,
    valid: nothing,
    refit: false,
    base: null,
    classes: labels.length,
    hyperparameters,
    seed: 1,
    threads,
  };
  const learner = await architectures[architecture].createLearner(options);
  try {
    const times: number[] = [];
    let tokens = 0;
    for (let step = 0; step < steps; step++) {
      const start = performance.now();
      tokens += (await learner.step(step)).tokens;
      if (step > 0) times.push(performance.now() - start);
    }
    const milliseconds = times.sort((a, b) => a - b)[times.length >> 1]!;
    return { milliseconds, tokens: tokens / steps, matrixElements: matrixElements(learner) };
  } finally {
    await learner.release();
  }
}

/** Forward, and the gradients of inputs and weights, are two operations an element each; tables are looked up, not multiplied. */
function matrixElements(learner: Learner): number {
  const matrices = Object.entries(learner.weights()).filter(([name, { shape }]) => {
    return shape.length === 2 && !name.includes("embeddings");
  });
  return matrices.reduce((sum, [, { shape }]) => sum + shape[0]! * shape[1]!, 0);
}

async function matmulFlopsPerSecond(size = 768): Promise<number> {
  const [a, b] = [input("a", [size, size]), input("b", [size, size])];
  const session = await createSession(toOnnx({ outputs: { c: matmul(a, b) } }), { threads });
  const data = { shape: [size, size], data: normals(size * size, { seed: 1 }) };
  const milliseconds = await fastest(10, async () => void (await session.run({ a: data, b: data })));
  await session.release();
  return (2 * size ** 3) / (milliseconds / 1000);
}

function copyBytesPerSecond(): number {
  const source = new Float32Array(16 * 1024 * 1024).fill(1);
  const target = new Float32Array(source.length);
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 5; turn++) {
    const start = performance.now();
    target.set(source);
    best = Math.min(best, performance.now() - start);
  }
  return (2 * source.byteLength) / (best / 1000);
}

async function fastest(turns: number, work: () => Promise<void>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < turns; turn++) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Of a mean step: a float32 weight and its two moments for each feature the batch holds and each label, read and written. */
function bytesMoved(texts: readonly string[]): number {
  const bags = texts.map((text) => ngrams(text).buckets);
  let features = 0;
  for (let start = 0; start < bags.length; start += batch) {
    features += new Set(bags.slice(start, start + batch).flatMap((buckets) => [...buckets])).size;
  }
  return (features / (bags.length / batch)) * labels.length * 3 * 4 * 2;
}
