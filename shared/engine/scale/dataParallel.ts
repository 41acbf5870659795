/**
 * One model on several devices: each takes the gradients of its part of a batch, they are added up in the order of the
 * devices, and each applies the same sum to its own copy of weights and optimizer state.
 */
import { accumulationStep, applyStep } from "../accumulation.ts";
import type { Tensor, TypedArray } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import { collectLeaves, toOnnx } from "../onnx.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { newName, type TrainingStep } from "../trainingStep.ts";
import { DeviceLostError, type Replica, startReplica } from "./replica.ts";
import type { Tensors } from "./replicaProtocol.ts";

export interface DataParallelOptions {
  /** A scalar, the mean over the rows it sees. Batch normalisation, whose buffers move, is not supported. */
  readonly loss: Node;
  /** How much a part of a batch counts, such as its number of rows: a float32 scalar. */
  readonly weight: Node;
  readonly parameters: readonly Node[];
  readonly optimizer: Optimizer;
  /** Data of frozen parameters. */
  readonly initializers?: Readonly<Record<string, TypedArray>>;
  /** Weights by name; or also optimizer state, as `carried` returned it. */
  readonly first: Tensors;
  /** One device each. Bits repeat for the same devices in the same order. */
  readonly devices: readonly SessionOptions[];
}

export interface ParallelStep {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface DataParallel {
  /**
   * One optimizer step: by device, what its micro-batches are fed (see `shardBatch`), and what the update is fed, such as
   * `learning_rate`. Throws DeviceError; then no device has moved, and the step may be repeated, after `repair` where it is
   * a DeviceLostError.
   */
  step(shards: readonly (readonly Tensors[])[], settings: Tensors): Promise<ParallelStep>;
  /** Starts devices anew that have ended, with what the others hold. Throws DeviceLostError where none is left. */
  repair(): Promise<void>;
  /** Weights and optimizer state: a checkpoint. */
  carried(): Promise<Tensors>;
  /** The devices, to look at or end. */
  readonly replicas: readonly Replica[];
  kill(): void;
}

/** Throws what `accumulationStep` and `applyStep` throw, and DeviceError where a device does not start. */
export async function startDataParallel(options: DataParallelOptions): Promise<DataParallel> {
  const group = new Group(options);
  try {
    await group.begin(options.first);
  } catch (error) {
    group.kill();
    throw error;
  }
  return group;
}

interface Graph {
  readonly step: TrainingStep;
  readonly model: Uint8Array;
  readonly inputs: ReadonlySet<string>;
}

class Group implements DataParallel {
  readonly replicas: Replica[];
  readonly #devices: readonly SessionOptions[];
  readonly #add: Graph;
  readonly #apply: Graph;

  constructor({ loss, weight, parameters, optimizer, initializers = {}, devices }: DataParallelOptions) {
    if (devices.length === 0) throw new RangeError("a group needs at least one device");
    this.#add = graphOf(accumulationStep({ loss, parameters, weight }), initializers);
    this.#apply = graphOf(applyStep({ parameters, optimizer }), {});
    this.#devices = devices;
    this.replicas = devices.map((_, rank) => this.#start(rank));
  }

  async begin(first: Tensors): Promise<void> {
    const tensors = { ...this.#apply.step.initialState, ...first };
    await Promise.all(this.replicas.map((replica) => this.#prepare(replica, tensors)));
  }

  async step(shards: readonly (readonly Tensors[])[], settings: Tensors): Promise<ParallelStep> {
    if (shards.length !== this.replicas.length) {
      throw new RangeError(`${this.replicas.length} devices need as many shards, not ${shards.length}`);
    }
    const parts = await Promise.all(
      this.replicas.map((replica, rank) => this.#gradients(replica, shards[rank]!, settings)),
    );
    return this.#move({ ...pick(settings, this.#apply.inputs), ...sumInOrder(parts) });
  }

  async repair(): Promise<void> {
    const survivor = this.replicas.find(({ alive }) => alive);
    if (!survivor) throw new DeviceLostError("no device is left; begin again from a checkpoint");
    const tensors = await survivor.get(this.#apply.step.carried.map(({ name }) => name));
    const dead = this.replicas.flatMap(({ alive }, rank) => (alive ? [] : [rank]));
    for (const rank of dead) this.replicas[rank] = this.#start(rank);
    await Promise.all(dead.map((rank) => this.#prepare(this.replicas[rank]!, tensors)));
  }

  async carried(): Promise<Tensors> {
    const survivor = this.replicas.find(({ alive }) => alive);
    if (!survivor) throw new DeviceLostError("no device is left, and what they held is lost");
    const sums = new Set(this.#add.step.carried.map(({ name }) => name));
    return survivor.get(this.#apply.step.carried.map(({ name }) => name).filter((name) => !sums.has(name)));
  }

  kill(): void {
    for (const replica of this.replicas) replica.kill();
  }

  #start(rank: number): Replica {
    return startReplica(`device ${rank} of ${this.#devices.length}`, this.#devices[rank]!);
  }

  async #prepare(replica: Replica, tensors: Tensors): Promise<void> {
    await replica.load("add", this.#add.model);
    await replica.load("apply", this.#apply.model);
    await replica.hold(tensors);
  }

  /** Sums over a device's micro-batches; the zeros they begin with stay. */
  async #gradients(replica: Replica, batches: readonly Tensors[], settings: Tensors): Promise<Tensors> {
    if (batches.length === 0) throw new RangeError("a shard needs at least one micro-batch");
    const carry = carryOf(this.#add.step);
    const fed = batches.map((batch) => ({ ...pick(settings, this.#add.inputs), ...batch }));
    const last = Object.keys(carry);
    const results = await replica.run({ model: "add", batches: fed, carry, keep: false, each: [], last });
    return Object.fromEntries(last.map((output) => [carry[output]!, results.last[output]!]));
  }

  /**
   * The same update everywhere. Once one device has made it the step is done: one that failed is ended, and `repair` gives
   * it what the others hold.
   */
  async #move(fed: Tensors): Promise<ParallelStep> {
    const { metrics } = this.#apply.step;
    const scalars = ["loss", ...Object.keys(metrics)];
    const request = {
      model: "apply",
      batches: [fed],
      carry: carryOf(this.#apply.step),
      keep: true,
      each: [],
      last: scalars,
    };
    const settled = await Promise.allSettled(this.replicas.map((replica) => replica.run(request)));
    const done = settled.find((result) => result.status === "fulfilled");
    if (!done) throw (settled[0] as PromiseRejectedResult).reason;
    for (const [rank, { status }] of settled.entries()) if (status === "rejected") this.replicas[rank]!.kill();
    const number = (name: string) => Number(done.value.last[name]!.data[0]);
    return {
      loss: number("loss"),
      metrics: Object.fromEntries(Object.keys(metrics).map((name) => [name, number(name)])),
    };
  }
}

function graphOf(step: TrainingStep, initializers: Readonly<Record<string, TypedArray>>): Graph {
  const { inputs } = collectLeaves(Object.values(step.outputs));
  const model = toOnnx({ outputs: step.outputs, initializers });
  return { step, model, inputs: new Set(inputs.map(({ name }) => name!)) };
}

const carryOf = ({ carried }: TrainingStep) => Object.fromEntries(carried.map(({ name }) => [newName(name), name]));

function pick(tensors: Tensors, names: ReadonlySet<string>): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => names.has(name)));
}

/** Added up from the first device on: floating-point sums depend on their order. */
function sumInOrder(parts: readonly Tensors[]): Record<string, Tensor> {
  const [first, ...others] = parts;
  return Object.fromEntries(
    Object.entries(first!).map(([name, { shape, data }]) => {
      const sum = Float32Array.from(data as Float32Array);
      for (const other of others) {
        const values = other[name]!.data as Float32Array;
        for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
      }
      return [name, { shape, data: sum }];
    }),
  );
}
