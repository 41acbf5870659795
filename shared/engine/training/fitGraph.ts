/** The training step of any model that is a function over a weight scope, and the tensors it starts from. */
import type { Tensor } from "../dataTypes.ts";
import { input, type Node } from "../graph.ts";
import { type BufferUpdates, withoutBuffers } from "../layers/batchNorm.ts";
import { initializeByFan } from "../layers/initializeByFan.ts";
import { WeightScope } from "../layers/weightScope.ts";
import type { TrainingContext } from "../models/trainingContext.ts";
import { adamw } from "../optimizers/adamw.ts";
import { chain, type Optimizer } from "../optimizers/optimizer.ts";
import { averageWeights } from "../optimizers/transforms.ts";
import { type TrainingStep, trainingStep } from "../trainingStep.ts";
import { tensorsOf } from "../weights/tensors.ts";

/** From weights to what the model gives. In training it is told where statistics are collected and what dropout does. */
export type ModelFunction = (scope: WeightScope, training?: TrainingContext) => Node;

export type Tensors = Readonly<Record<string, Tensor>>;

export interface FitGraphOptions {
  readonly model: ModelFunction;
  /** A scalar, the mean over the batch; the scope is there for penalties on weights. */
  readonly loss: (output: Node, scope: WeightScope) => Node;
  /** Default: AdamW. */
  readonly optimizer?: (learningRate: Node) => Optimizer;
  /** The share of elements the model's dropout sets to zero. Default 0. */
  readonly dropout?: number;
  /** Values weights start from, by name; the others start as `initializeByFan` has them. */
  readonly start?: Tensors;
  /** Which weights are trained, by name; the others are part of the graph. Default: all. */
  readonly trains?: (name: string) => boolean;
  /** Decay of a moving average of the weights, which is then what the fit gives. Default: none. */
  readonly average?: number;
  readonly seed: number;
}

export interface FitGraph {
  readonly step: TrainingStep;
  /** Everything carried, before the first step. */
  readonly first: Tensors;
  /** Weights that are not trained, by name. */
  readonly frozen: Tensors;
  /** Where a model's weight lies among the tensors carried: under its own name, or its average's. */
  readonly carriedAs: ReadonlyMap<string, string>;
}

/**
 * Its inputs: those of model and loss, `learning_rate`, and with dropout `dropout_seed`. Throws RangeError naming a value
 * to start from that is of no weight, or where nothing is to be trained, and as `trainingStep`.
 */
export function fitGraph(options: FitGraphOptions): FitGraph {
  const { model, dropout: rate = 0, trains = () => true, average, seed, start = {} } = options;
  const [scope, buffers]: [WeightScope, BufferUpdates] = [new WeightScope(), new Map()];
  const noise = { rate, seed: input("dropout_seed", [], "uint32") };
  const loss = options.loss(model(scope, { buffers, dropout: noise }), scope);
  const optimize = options.optimizer ?? ((learningRate) => adamw({ learningRate }));
  const optimizer = optimize(input("learning_rate", []));
  const names = scope.parameters.map(({ name }) => name!);
  const stray = Object.keys(start).find((name) => !names.includes(name));
  if (stray !== undefined) throw new RangeError(`"${stray}" is to start from a value, but is no weight of the model`);
  const parameters = withoutBuffers(scope.parameters, buffers).filter(({ name }) => trains(name!));
  if (parameters.length === 0) throw new RangeError("no weight is to be trained");
  const step = trainingStep({
    loss,
    parameters,
    optimizer: average === undefined ? optimizer : chain(optimizer, averageWeights(average)),
    buffers,
  });
  const values = { ...tensorsOf(scope.parameters, initializeByFan(scope.parameters, seed)), ...start };
  const carried = new Set(step.carried.map(({ name }) => name));
  const chosen = (isCarried: boolean) =>
    Object.fromEntries(names.filter((name) => carried.has(name) === isCarried).map((name) => [name, values[name]!]));
  const placeOf = (name: string) => (carried.has(`average:${name}`) ? `average:${name}` : name);
  return {
    step,
    first: { ...step.initialState, ...chosen(true) },
    frozen: chosen(false),
    carriedAs: new Map([...names].filter((name) => carried.has(name)).map((name) => [name, placeOf(name)])),
  };
}
