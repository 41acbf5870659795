/**
 * Local SGD: workers take many steps each on data of their own and meet only once a round, so that a slow network between
 * them does. The inner optimizer's state stays with its worker.
 */
import type { TypedArray } from "../dataTypes.ts";
import { toOnnx } from "../onnx.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { newName, type TrainingStep } from "../trainingStep.ts";
import { type OuterOptions, type OuterState, outerStep } from "./outerStep.ts";
import { DeviceLostError, startReplica } from "./replica.ts";
import type { Tensors } from "./replicaProtocol.ts";

export interface LocalResult {
  /** Parameters and buffers after the last step. */
  readonly weights: Tensors;
  /** Of each step. */
  readonly losses: readonly number[];
}

/** Whoever can take local steps: a process here, or a machine elsewhere. */
export interface LocalWorker {
  /** A step per batch, from the weights given. Rejects with DeviceLostError where the worker is gone. */
  round(weights: Tensors, batches: readonly Tensors[]): Promise<LocalResult>;
}

export interface LocalShare {
  readonly worker: LocalWorker;
  readonly batches: readonly Tensors[];
}

export interface LocalRound {
  readonly state: OuterState;
  /** By worker, the losses of its steps; undefined for one that was lost. */
  readonly losses: readonly (readonly number[] | undefined)[];
  /** Why workers were left out, by worker. */
  readonly lost: ReadonlyMap<number, DeviceLostError>;
}

/**
 * One round. A worker that is lost is left out of the mean. Throws the DeviceLostError where all are, and any other error
 * of a worker: work that is at fault must not be mistaken for a worker that is gone. After either, `state` holds as before.
 */
export async function localRound(
  state: OuterState,
  shares: readonly LocalShare[],
  options: OuterOptions = {},
): Promise<LocalRound> {
  const settled = await Promise.allSettled(shares.map(({ worker, batches }) => worker.round(state.weights, batches)));
  const lost = new Map<number, DeviceLostError>();
  for (const [i, result] of settled.entries()) {
    if (result.status === "fulfilled") continue;
    if (!(result.reason instanceof DeviceLostError)) throw result.reason;
    lost.set(i, result.reason);
  }
  const results = settled.map((result) => (result.status === "fulfilled" ? result.value : undefined));
  const finished = results.flatMap((result) => (result ? [result.weights] : []));
  if (finished.length === 0)
    throw new DeviceLostError(`all ${shares.length} workers were lost`, { cause: lost.get(0) });
  return { state: outerStep(state, finished, options), losses: results.map((result) => result?.losses), lost };
}

export interface LocalWorkerOptions {
  /** Tells it from others in errors. */
  readonly name: string;
  readonly session?: SessionOptions;
  /** Data of frozen parameters. */
  readonly initializers?: Readonly<Record<string, TypedArray>>;
  /** The inner optimizer's state to begin with, as `state` returned it. Default: zeros. */
  readonly inner?: Tensors;
}

export interface ProcessWorker extends LocalWorker {
  /** The inner optimizer's state: part of a checkpoint. */
  state(): Promise<Tensors>;
  kill(): void;
}

/** A worker that is a process of this machine. */
export async function startLocalWorker(step: TrainingStep, options: LocalWorkerOptions): Promise<ProcessWorker> {
  const replica = startReplica(options.name, options.session);
  const inner = Object.keys(step.initialState);
  const outer = step.carried.map(({ name }) => name).filter((name) => !inner.includes(name));
  const carry = Object.fromEntries(step.carried.map(({ name }) => [newName(name), name]));
  try {
    await replica.load("step", toOnnx({ outputs: step.outputs, initializers: options.initializers ?? {} }));
    await replica.hold({ ...step.initialState, ...options.inner });
  } catch (error) {
    replica.kill();
    throw error;
  }
  return {
    async round(weights, batches) {
      await replica.hold(weights);
      const request = { model: "step", batches, carry, keep: true, each: ["loss"], last: [] };
      const { each } = await replica.run(request);
      return { weights: await replica.get(outer), losses: each.map(({ loss }) => Number(loss!.data[0])) };
    },
    state: () => replica.get(inner),
    kill: () => replica.kill(),
  };
}
