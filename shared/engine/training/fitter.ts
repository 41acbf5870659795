/** A model and its rows made into numbered optimizer steps, whatever the rows are: texts, images, signals, tables. */
import type { Tensor, TypedArray } from "../dataTypes.ts";
import { toLoopOnnx } from "../loop.ts";
import { toOnnx } from "../onnx.ts";
import { type ScheduleName, schedule } from "../optimizers/schedules.ts";
import { mixSeeds, permutation } from "../random.ts";
import { createSession, type Session } from "../runtime/session.ts";
import { carryOver } from "../trainingStep.ts";
import { dataOf } from "../weights/tensors.ts";
import { type FitGraphOptions, fitGraph, type Tensors } from "./fitGraph.ts";

export interface FitterOptions extends FitGraphOptions {
  /** How many rows there are to learn from. */
  readonly rows: number;
  /** Rows per step, or all of them where they are fewer. Rows left over behind an epoch's last full batch are left out. */
  readonly batch: number;
  readonly epochs: number;
  /** Tensors by the names of the inputs of model and loss, for the rows of a step. */
  readonly feeds: (rows: Int32Array, step: number) => Tensors;
  /** The highest rate. */
  readonly learningRate: number;
  /** Default "cosine". */
  readonly schedule?: ScheduleName;
  /** The share of steps over which the rate rises. Default 0.05. */
  readonly warmup?: number;
  /** Optimizer steps in one call of the runtime, by an ONNX Loop. Default 1. */
  readonly stepsPerCall?: number;
  readonly threads?: number;
}

/** A fit on its way. Each step is a pure function of the state and the step's number. */
export interface Fitter {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** Takes the steps from `first` up to `end`, which is not included; gives the loss of each. */
  advance(first: number, end: number): Promise<number[]>;
  /** Everything the next step depends on. */
  state(): Tensors;
  restore(state: Tensors): void;
  /** What inference needs. */
  weights(): Tensors;
  release(): Promise<void>;
}

/** Throws RangeError where rows, batch and epochs give no step; otherwise as `trainingStep` and `createSession`. */
export async function createFitter(options: FitterOptions): Promise<Fitter> {
  const { stepsPerCall = 1, threads = 2 } = options;
  const { stepsPerEpoch, totalSteps, batchAt } = plan(options);
  const { step, first, frozen, carriedAs } = fitGraph(options);
  const initializers = dataOf(frozen);
  const looped = stepsPerCall > 1;
  const model = looped ? toLoopOnnx({ step, initializers }) : toOnnx({ outputs: step.outputs, initializers });
  const session = await createSession(model, { threads });
  let carried = first;

  const call = async (steps: readonly number[]): Promise<number[]> => {
    const fed = steps.map((number) => taken(session, batchAt(number)));
    const results = await session.run({ ...(looped ? stack(fed) : fed[0]), ...carried });
    carried = carryOver(step, results);
    return Array.from(results.loss!.data as Float32Array);
  };
  return {
    stepsPerEpoch,
    totalSteps,
    async advance(from, end) {
      const losses: number[] = [];
      for (let at = from; at < end; at += stepsPerCall) {
        losses.push(...(await call(range(at, Math.min(at + stepsPerCall, end)))));
      }
      return losses;
    },
    state: () => carried,
    restore(state) {
      carried = Object.fromEntries(Object.keys(carried).map((name) => [name, state[name]!]));
    },
    weights: () => ({
      ...frozen,
      ...Object.fromEntries([...carriedAs].map(([name, place]) => [name, carried[place]!])),
    }),
    release: () => session.release(),
  };
}

/** How many steps there are, and what each is fed. */
function plan(options: FitterOptions) {
  const { rows, epochs, learningRate, schedule: name = "cosine", warmup = 0.05, seed } = options;
  const batch = Math.min(options.batch, rows);
  const stepsPerEpoch = Math.floor(rows / batch);
  const totalSteps = stepsPerEpoch * epochs;
  if (!(totalSteps >= 1)) throw new RangeError(`${epochs} epochs of ${rows} rows in batches of ${batch} are no step`);
  const rate = schedule(name, { learningRate, warmupSteps: Math.floor(totalSteps * warmup), totalSteps });
  let order: { epoch: number; rows: Int32Array } = { epoch: -1, rows: new Int32Array(0) };
  const batchAt = (step: number): Tensors => {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order.epoch !== epoch) order = { epoch, rows: permutation(rows, seed, epoch) };
    const at = (step % stepsPerEpoch) * batch;
    return {
      ...options.feeds(order.rows.subarray(at, at + batch), step),
      learning_rate: { shape: [], data: Float32Array.of(rate(step)) },
      dropout_seed: { shape: [], data: Uint32Array.of(mixSeeds(seed, step)) },
    };
  };
  return { stepsPerEpoch, totalSteps, batchAt };
}

const range = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);

/** Those of the feeds that the model takes. */
export function taken({ inputNames }: Session, feeds: Tensors): Tensors {
  return Object.fromEntries(
    inputNames.filter((name) => Object.hasOwn(feeds, name)).map((name) => [name, feeds[name]!]),
  );
}

/** The feeds of some steps, each as one tensor with a leading axis of steps. */
function stack(steps: readonly Tensors[]): Tensors {
  return Object.fromEntries(
    Object.entries(steps[0]!).map(([name, { shape, data }]): [string, Tensor] => {
      const stacked = new (data.constructor as new (length: number) => TypedArray)(steps.length * data.length);
      for (const [i, fed] of steps.entries()) stacked.set(fed[name]!.data as never, i * data.length);
      return [name, { shape: [steps.length, ...shape], data: stacked }];
    }),
  );
}
