/** A complete optimizer step as a graph: gradients, update, and the names by which state travels from step to step. */
import { type Tensor, zerosTensor } from "./dataTypes.ts";
import { gradients } from "./gradient.ts";
import { describe, type Node } from "./graph.ts";
import { add } from "./ops/elementwise.ts";
import type { Optimizer, OptimizerState } from "./optimizers/optimizer.ts";

/** A tensor that one step hands to the next: fed as `name`, returned as `new:name`. */
export interface Carried {
  readonly name: string;
  readonly before: Node;
  readonly after: Node;
}

export interface TrainingStep {
  /** Trained parameters, then buffers, then optimizer state. */
  readonly carried: readonly Carried[];
  /** The optimizer's tensors at step 0, by the name they are fed under. */
  readonly initialState: Readonly<Record<string, Tensor>>;
  readonly loss: Node;
  /** What the optimizer was given for each parameter; for whoever counts memory. */
  readonly gradients?: ReadonlyMap<Node, Node>;
  /** Scalars besides the loss: those asked for, and the optimizer's (`gradient_norm`). */
  readonly metrics: Readonly<Record<string, Node>>;
  /** Everything, ready for `toOnnx`: `loss`, each metric, and `new:name` for each carried tensor. */
  readonly outputs: Readonly<Record<string, Node>>;
}

export interface TrainingStepOptions {
  /** A scalar, already the mean over the batch. */
  readonly loss: Node;
  /** The leaves to train; other parameters under the loss stay frozen. */
  readonly parameters: readonly Node[];
  readonly optimizer: Optimizer;
  /** Parameters that are carried but not trained, such as running statistics, with their next values. */
  readonly buffers?: ReadonlyMap<Node, Node>;
  /** Values between which activations are computed again instead of held, such as `layerBoundaries(loss)`. */
  readonly boundaries?: readonly Node[] | undefined;
  readonly metrics?: Readonly<Record<string, Node>>;
}

/** Throws GradientError where the loss does not depend on a parameter, TypeError where a target is a buffer or no parameter. */
export function trainingStep(options: TrainingStepOptions): TrainingStep {
  requireTrainable(options);
  return assembleStep({ ...options, gradients: gradients(options.loss, options.parameters, options) });
}

export interface AssembledStepOptions extends TrainingStepOptions {
  /** One of each parameter, however they were come by. */
  readonly gradients: ReadonlyMap<Node, Node>;
}

/** A step over gradients that are built already. Throws TypeError where a target is a buffer or no parameter. */
export function assembleStep(options: AssembledStepOptions): TrainingStep {
  const { loss, parameters, optimizer, buffers = new Map<Node, Node>(), metrics = {} } = options;
  requireTrainable(options);
  const state = optimizer.init(parameters);
  const update = optimizer.update(options.gradients, state, parameters);
  const carried: Carried[] = [
    ...parameters.map((before) => ({ name: before.name!, before, after: add(before, update.updates.get(before)!) })),
    ...[...buffers].map(([before, after]) => ({ name: before.name!, before, after })),
    ...Object.entries(state).map(([name, before]) => ({ name, before, after: update.state[name]! })),
  ];
  const watched = { ...metrics, ...update.metrics };
  const next = Object.fromEntries(carried.map(({ name, after }) => [newName(name), after]));
  const outputs = { loss, ...watched, ...next };
  const initialState = zeroState(state);
  return { carried, initialState, loss, gradients: options.gradients, metrics: watched, outputs };
}

function requireTrainable({ parameters, buffers }: TrainingStepOptions): void {
  const stranger = parameters.find((node) => node.op !== "Parameter" || buffers?.has(node));
  if (stranger) throw new TypeError(`only parameters that are no buffers can be trained, not ${describe(stranger)}`);
}

/** State at step 0: zeros. */
export function zeroState(state: OptimizerState): Record<string, Tensor> {
  const zeros = ({ type }: Node) => zerosTensor(type.shape as readonly number[], type.dataType);
  return Object.fromEntries(Object.entries(state).map(([name, leaf]) => [name, zeros(leaf)]));
}

/** The output under which a step returns the next value of a carried tensor. */
export function newName(name: string): string {
  return `new:${name}`;
}

/** What to feed as carried tensors at the next step, taken from a step's results. */
export function carryOver(step: TrainingStep, results: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(step.carried.map(({ name }) => [name, results[newName(name)]!]));
}
