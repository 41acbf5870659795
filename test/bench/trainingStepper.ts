/** A training step in a session of this process, taken again and again. */
import { carryOver, type Tensor, type TrainingStep, toLoopOnnx, toOnnx } from "../../shared/engine/index.ts";
import { int8Step } from "../../shared/engine/quantization/frozenInt8.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import type { Workload } from "./trainingModel.ts";

export const threads = 2;

/** In milliseconds; the processor's time is summed over threads, and does not count waiting. */
export interface Spent {
  readonly wall: number;
  readonly processor: number;
}

/** What this process spends on something. */
export async function spent(work: () => Promise<unknown>): Promise<Spent> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { wall, processor: (user + system) / 1000 };
}

export interface Stepper {
  /** One call of the session. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Spent>;
  release(): Promise<void>;
}

export async function stepper({ step, frozen, first }: Workload): Promise<Stepper> {
  return overSession(toOnnx({ outputs: step.outputs, initializers: frozen }), step, first);
}

export async function int8Stepper({ step, frozen, first }: Workload): Promise<Stepper> {
  const quantized = int8Step(step, frozen);
  return overSession(toOnnx({ outputs: quantized.step.outputs, initializers: quantized.initializers }), step, first);
}

/** Many steps a call; feeds are stacked. */
export async function loopStepper({ step, frozen, first }: Workload): Promise<Stepper> {
  return overSession(toLoopOnnx({ step, initializers: frozen }), step, first);
}

async function overSession(model: Uint8Array, step: TrainingStep, first: Workload["first"]): Promise<Stepper> {
  const session = await createSession(model, { threads });
  let carried: Record<string, Tensor> = { ...first };
  return {
    run: (feeds) =>
      spent(async () => {
        carried = carryOver(step, await session.run({ ...feeds, ...carried }));
      }),
    release: () => session.release(),
  };
}

/** The same feeds for each of `steps` steps of a loop. */
export function stacked(feeds: Readonly<Record<string, Tensor>>, steps: number): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]): [string, Tensor] => {
      const all = new (data.constructor as Float32ArrayConstructor)(data.length * steps);
      for (let i = 0; i < steps; i++) all.set(data as Float32Array, i * data.length);
      return [name, { shape: [steps, ...shape], data: all }];
    }),
  );
}
