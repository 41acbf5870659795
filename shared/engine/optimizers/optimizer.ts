/** Optimizers as (init, update) pairs that build graph nodes, and their composition; the scheme is optax's. */
import { type Node, parameter } from "../graph.ts";

/** One node per name: the optimizer's tensors before a step, or after it. */
export type OptimizerState = Readonly<Record<string, Node>>;
/** One node per parameter. */
export type PerParameter = ReadonlyMap<Node, Node>;

export interface Update {
  /** What to add to each parameter, of the parameter's type. */
  readonly updates: PerParameter;
  readonly state: OptimizerState;
  /** Scalars worth watching, such as the gradient norm. */
  readonly metrics?: Readonly<Record<string, Node>>;
}

export interface Optimizer {
  /** The tensors kept between steps, as parameter leaves. Each starts as zeros. */
  init(parameters: readonly Node[]): OptimizerState;
  /** From the gradients (or the updates of the transform before) to updates and the next state. */
  update(gradients: PerParameter, state: OptimizerState, parameters: readonly Node[]): Update;
}

/** A state tensor of the shape of each parameter, named "slot:parameter". */
export function slots(slot: string, parameters: readonly Node[]): OptimizerState {
  return Object.fromEntries(
    parameters.map(({ name, type }) => [`${slot}:${name}`, parameter(`${slot}:${name}`, type.shape as number[])]),
  );
}

/** A function of each gradient and its parameter. */
export function mapGradients(gradients: PerParameter, change: (gradient: Node, parameter: Node) => Node): PerParameter {
  return new Map([...gradients].map(([target, gradient]) => [target, change(gradient, target)]));
}

/** Transforms applied in order: the updates of one are the gradients of the next. */
export function chain(...optimizers: readonly Optimizer[]): Optimizer {
  return {
    init: (parameters) => Object.assign({}, ...optimizers.map((optimizer) => optimizer.init(parameters))),
    update: (gradients, state, parameters) =>
      optimizers.reduce<Update>(
        (before, optimizer) => {
          const after = optimizer.update(before.updates, state, parameters);
          const metrics = { ...before.metrics, ...after.metrics };
          return { updates: after.updates, state: { ...before.state, ...after.state }, metrics };
        },
        { updates: gradients, state: {} },
      ),
  };
}
