/** An objective on its way: numbered optimizer steps over all weights it reads, and what it says of held-out texts. */
import { input, type Node } from "../graph.ts";
import { MemoryError } from "../memory/plan.ts";
import { toOnnx } from "../onnx.ts";
import { adamw } from "../optimizers/adamw.ts";
import { clipByGlobalNorm } from "../optimizers/clip.ts";
import { chain } from "../optimizers/optimizer.ts";
import { schedule } from "../optimizers/schedules.ts";
import { scaleUpdates } from "../optimizers/transforms.ts";
import { mixSeeds } from "../random.ts";
import { memoryLimit } from "../runtime/memoryLimit.ts";
import { createSession } from "../runtime/session.ts";
import type { Tensors } from "../training/fitGraph.ts";
import { taken } from "../training/fitter.ts";
import type { StepResult } from "../training/learner.ts";
import { createStepper } from "../training/stepper.ts";
import { dataOf } from "../weights/tensors.ts";
import type { Objective } from "./objective.ts";

export interface StagePlan {
  readonly objective: Objective;
  readonly steps: number;
  readonly peakLearningRate: number;
  /** What of the rate is for the tables with a row for each token; 0 leaves them as they are. */
  readonly tableRate: number;
}

export interface HeldResult {
  /** Nats. */
  readonly loss: number;
  readonly accuracy: number;
}

export interface Stage {
  /** Step `n` of this stage is a pure function of the state and `n`. */
  step(n: number): Promise<StepResult>;
  /** Undefined where nothing was held out. */
  judge(): Promise<HeldResult | undefined>;
  /** The weights as they are now, and the optimizer's tensors. */
  state(): { weights: Tensors; optimizer: Tensors };
  release(): Promise<void>;
}

export interface StageOptions {
  readonly vocabulary: number;
  readonly seed: number;
  readonly threads: number;
}

const maxGradientNorm = 1;
const warmup = 0.05;

/**
 * `optimizer` is what `state` gave, or nothing for a first step. Throws MemoryError where a step does not fit into this
 * process's memory.
 */
export async function openStage(
  plan: StagePlan,
  start: Tensors,
  optimizer: Tensors,
  options: StageOptions,
): Promise<Stage> {
  const { objective, steps } = plan;
  const { seed, threads } = options;
  const { stepper, isTrained } = await stepperFor(plan, start, options);
  const judge = await createSession(toOnnx({ outputs: judged(objective) }), { threads });
  const rate = schedule("linear", {
    learningRate: plan.peakLearningRate,
    warmupSteps: Math.floor(steps * warmup),
    totalSteps: steps,
  });
  let weights = start;
  let carried: Tensors = { ...stepper.initialState, ...optimizer, ...pick(start, isTrained) };
  return {
    async step(n) {
      const rows = objective.batches.rowsOf(n);
      const shared = {
        learning_rate: { shape: [], data: Float32Array.of(rate(n)) },
        dropout_seed: { shape: [], data: Uint32Array.of(mixSeeds(seed, n)) },
      };
      const after = await stepper.run(rows, (some) => ({ ...objective.feedsOf(some, n), ...shared }), carried);
      carried = after.carried;
      weights = { ...weights, ...pick(carried, isTrained) };
      return { loss: after.values.loss!, accuracy: after.values.accuracy!, tokens: objective.tokensOf(rows) };
    },
    async judge() {
      let [loss, accuracy, total] = [0, 0, 0];
      for (const { feeds, weight } of objective.held()) {
        const found = await judge.run(taken(judge, { ...feeds, ...weights }));
        loss += weight * (found.loss!.data[0] as number);
        accuracy += weight * (found.accuracy!.data[0] as number);
        total += weight;
      }
      return total > 0 ? { loss: loss / total, accuracy: accuracy / total } : undefined;
    },
    state: () => ({ weights, optimizer: pick(carried, new Set(Object.keys(stepper.initialState))) }),
    async release() {
      await Promise.all([stepper.release(), judge.release()]);
    },
  };
}

async function stepperFor({ objective, tableRate }: StagePlan, start: Tensors, { vocabulary, threads }: StageOptions) {
  const isTable = ({ type }: Node) => type.shape.length > 1 && type.shape[0] === vocabulary;
  const graph = objective.graph(input("dropout_seed", [], "uint32"));
  const parameters = graph.parameters.filter((node) => tableRate > 0 || !isTable(node));
  const isTrained = new Set(parameters.map(({ name }) => name!));
  const isFrozen = (name: string) => graph.parameters.some((node) => node.name === name) && !isTrained.has(name);
  const optimizer = chain(
    clipByGlobalNorm(maxGradientNorm),
    adamw({
      learningRate: input("learning_rate", []),
      beta2: 0.98,
      decays: (node) => isMatrix(node) && !isTable(node),
    }),
    scaleUpdates((node) => (isTable(node) ? tableRate : 1)),
  );
  const stepper = await createStepper({
    step: { ...graph, parameters, optimizer },
    frozen: dataOf(start, isFrozen),
    largest: objective.largest,
    memoryLimit: memoryLimit(),
    session: { threads },
  });
  const { rows } = objective.largest;
  if (objective.divisible || stepper.rowsAtOnce >= rows) return { stepper, isTrained };
  await stepper.release();
  throw new MemoryError(
    `a ${objective.name} step of ${rows} rows does not fit into memory: ask for a smaller batch_size`,
  );
}

function judged(objective: Objective): Record<string, Node> {
  const { loss, metrics } = objective.graph();
  return { loss, ...metrics };
}

const isMatrix = ({ type }: Node) => type.shape.length > 1;

function pick(tensors: Tensors, names: ReadonlySet<string>): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => names.has(name)));
}
