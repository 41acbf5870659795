/** Optimizer steps over batches of rows, whole or cut into as many micro-batches as memory asks for. */
import { accumulationStep, applyStep } from "../accumulation.ts";
import type { Tensor, TypedArray } from "../dataTypes.ts";
import { input } from "../graph.ts";
import { planMicroBatch } from "../memory/plan.ts";
import type { Bindings } from "../memory/sizes.ts";
import { toOnnx } from "../onnx.ts";
import { createSession, type SessionOptions } from "../runtime/session.ts";
import { carryOver, type TrainingStep, type TrainingStepOptions, trainingStep } from "../trainingStep.ts";
import type { Tensors } from "./fitGraph.ts";
import { taken } from "./fitter.ts";

export interface StepperOptions {
  readonly step: TrainingStepOptions;
  /** Data of the parameters that are not trained. */
  readonly frozen: Readonly<Record<string, TypedArray>>;
  /** The largest batch that will come: its rows, and the sizes of its other symbolic dimensions. */
  readonly largest: { readonly rows: number; readonly bindings: Bindings };
  /** Bytes the process may take. */
  readonly memoryLimit: number;
  readonly session: SessionOptions;
}

export interface StepTaken {
  /** What the next step is to be fed. */
  readonly carried: Tensors;
  /** The loss and each metric, means over the batch. */
  readonly values: Readonly<Record<string, number>>;
}

export interface Stepper {
  /** The optimizer's state before the first step. */
  readonly initialState: Tensors;
  /** Rows at a time: all of a batch, or fewer. */
  readonly rowsAtOnce: number;
  /** `feedsOf` gives the feeds of some of the batch's rows; what all rows share, such as the rate, is in each of them. */
  run(rows: Int32Array, feedsOf: (rows: Int32Array) => Tensors, carried: Tensors): Promise<StepTaken>;
  release(): Promise<void>;
}

/** Throws MemoryError where not even one row at a time fits. */
export async function createStepper(options: StepperOptions): Promise<Stepper> {
  const { step, largest, memoryLimit } = options;
  const plan = planMicroBatch({ step, ...largest, limit: memoryLimit });
  return plan.count === 1 ? wholeStepper(options) : cutStepper(options, plan.rows);
}

async function wholeStepper({ step: options, frozen, session: place }: StepperOptions): Promise<Stepper> {
  const step = trainingStep(options);
  const session = await createSession(toOnnx({ outputs: step.outputs, initializers: frozen }), place);
  return {
    initialState: step.initialState,
    rowsAtOnce: Number.POSITIVE_INFINITY,
    async run(rows, feedsOf, carried) {
      const results = await session.run(taken(session, { ...feedsOf(rows), ...carried }));
      return { carried: carryOver(step, results), values: scalars(step, results) };
    },
    release: () => session.release(),
  };
}

const weightName = "micro_batch_rows";

async function cutStepper({ step: options, frozen, session: place }: StepperOptions, most: number): Promise<Stepper> {
  const adding = accumulationStep({ ...options, weight: input(weightName, []) });
  const applying = applyStep(options);
  const [adder, applier] = await Promise.all([
    createSession(toOnnx({ outputs: adding.outputs, initializers: frozen }), place),
    createSession(toOnnx({ outputs: applying.outputs }), place),
  ]);
  const names = new Set(applying.carried.map(({ name }) => name));
  const sums = Object.keys(adding.initialState);
  return {
    initialState: Object.fromEntries(Object.entries(applying.initialState).filter(([name]) => !sums.includes(name))),
    rowsAtOnce: most,
    async run(rows, feedsOf, carried) {
      let held: Tensors = { ...carried, ...adding.initialState };
      const means: Record<string, number> = {};
      for (const some of cut(rows, most)) {
        const weight = { [weightName]: { shape: [], data: Float32Array.of(some.length) } };
        const results = await adder.run(taken(adder, { ...feedsOf(some), ...weight, ...held }));
        held = { ...held, ...carryOver(adding, results) };
        for (const [name, value] of Object.entries(scalars(adding, results))) {
          means[name] = (means[name] ?? 0) + (value * some.length) / rows.length;
        }
      }
      const results = await applier.run(taken(applier, { ...feedsOf(rows.subarray(0, 1)), ...held }));
      const next = carryOver(applying, results);
      const kept = [...names].filter((name) => !sums.includes(name));
      return { carried: Object.fromEntries(kept.map((name) => [name, next[name]!])), values: means };
    },
    async release() {
      await Promise.all([adder.release(), applier.release()]);
    },
  };
}

/** Runs of at most `most` rows, as even as may be. */
function cut(rows: Int32Array, most: number): Int32Array[] {
  const count = Math.ceil(rows.length / most);
  const size = Math.ceil(rows.length / count);
  return Array.from({ length: count }, (_, i) => rows.subarray(i * size, (i + 1) * size)).filter(
    ({ length }) => length > 0,
  );
}

function scalars(step: TrainingStep, results: Readonly<Record<string, Tensor>>): Record<string, number> {
  const names = ["loss", ...Object.keys(step.metrics)];
  return Object.fromEntries(names.map((name) => [name, results[name]!.data[0] as number]));
}
