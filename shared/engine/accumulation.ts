/** Batches larger than memory: a step that only adds up gradients, and one that applies their mean. */
import { gradients } from "./gradient.ts";
import { constant, type Node, parameter } from "./graph.ts";
import { add, div, mul } from "./ops/elementwise.ts";
import { zerosLike } from "./ops/shapes.ts";
import { slots } from "./optimizers/optimizer.ts";
import { type Carried, newName, type TrainingStep, type TrainingStepOptions, zeroState } from "./trainingStep.ts";

const slot = "accumulated";
const [lossSum, weightSum] = ["accumulated.loss", "accumulated.weight"];

export interface AccumulationOptions extends Omit<TrainingStepOptions, "optimizer"> {
  /** How much this micro-batch counts, a float32 scalar such as its number of rows. Default: all alike. */
  readonly weight?: Node;
}

/**
 * Adds a micro-batch's gradients to what it carries, "accumulated:name" per parameter, "accumulated.loss" and
 * "accumulated.weight", and leaves the parameters, which it is fed, as they are. It may be looped. Buffers move.
 */
export function accumulationStep(options: AccumulationOptions): TrainingStep {
  const { loss, parameters, buffers = new Map<Node, Node>(), metrics = {}, weight = constant(1) } = options;
  const found = gradients(loss, parameters, options);
  const sums = accumulators(parameters);
  const added = new Map<string, Node>([
    ...parameters.map((target): [string, Node] => [`${slot}:${target.name}`, mul(found.get(target)!, weight)]),
    [lossSum, mul(loss, weight)],
    [weightSum, weight],
  ]);
  const carried = [
    ...[...buffers].map(([before, after]) => ({ name: before.name!, before, after })),
    ...Object.entries(sums).map(([name, before]) => ({ name, before, after: add(before, added.get(name)!) })),
  ];
  const outputs = outputsOf(loss, metrics, carried);
  return { carried, initialState: zeroState(sums), loss, gradients: found, metrics, outputs };
}

/**
 * One optimizer step with the weighted mean of the gradients that were accumulated for the same parameters; the
 * accumulators come back as zeros. Its loss is the mean of theirs.
 */
export function applyStep({
  parameters,
  optimizer,
}: Pick<TrainingStepOptions, "parameters" | "optimizer">): TrainingStep {
  const sums = accumulators(parameters);
  const mean = (name: string) => div(sums[name]!, sums[weightSum]!);
  const state = optimizer.init(parameters);
  const means = new Map(parameters.map((target) => [target, mean(`${slot}:${target.name}`)]));
  const update = optimizer.update(means, state, parameters);
  const carried = [
    ...parameters.map((before) => ({ name: before.name!, before, after: add(before, update.updates.get(before)!) })),
    ...Object.entries(state).map(([name, before]) => ({ name, before, after: update.state[name]! })),
    ...Object.entries(sums).map(([name, before]) => ({ name, before, after: zerosLike(before) })),
  ];
  const metrics = update.metrics ?? {};
  const loss = mean(lossSum);
  return {
    carried,
    initialState: zeroState({ ...state, ...sums }),
    loss,
    metrics,
    outputs: outputsOf(loss, metrics, carried),
  };
}

function accumulators(parameters: readonly Node[]): Record<string, Node> {
  return { ...slots(slot, parameters), [lossSum]: parameter(lossSum, []), [weightSum]: parameter(weightSum, []) };
}

function outputsOf(
  loss: Node,
  metrics: Readonly<Record<string, Node>>,
  carried: readonly Carried[],
): Record<string, Node> {
  return { loss, ...metrics, ...Object.fromEntries(carried.map(({ name, after }) => [newName(name), after])) };
}
