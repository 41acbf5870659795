/** Whether stored tensors are exactly those a model asks for. */
import type { Tensor } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import { formatShape, sameShape } from "../shape.ts";
import { CheckpointError } from "./checkpointConfig.ts";

export type Weights = ReadonlyMap<string, Tensor>;

const shownFaults = 5;

/**
 * The data of each parameter. Throws CheckpointError naming each tensor that is missing, of another shape, or of no use
 * (save those that `ignored` allows), with the expected and the actual shape.
 */
export function fitWeights(
  weights: Weights,
  parameters: readonly Node[],
  ignored: (name: string) => boolean = () => false,
): Record<string, Float32Array> {
  const expected = new Map(parameters.map((node) => [node.name!, node.type.shape as readonly number[]]));
  const faults = [
    ...[...expected].flatMap(([name, shape]) => misfit(name, shape, weights.get(name))),
    ...[...weights].flatMap(([name, { shape }]) =>
      expected.has(name) || ignored(name) ? [] : [`"${name}" ${formatShape(shape)} belongs to no part of the model`],
    ),
  ];
  if (faults.length > 0) throw new CheckpointError(summarize(faults));
  return Object.fromEntries([...expected.keys()].map((name) => [name, weights.get(name)!.data as Float32Array]));
}

function misfit(name: string, shape: readonly number[], found: Tensor | undefined): string[] {
  if (!found) return [`"${name}" ${formatShape(shape)} is missing`];
  return sameShape(found.shape, shape) ? [] : [`"${name}" is ${formatShape(found.shape)}, not ${formatShape(shape)}`];
}

function summarize(faults: readonly string[]): string {
  const more = faults.length > shownFaults ? `; and ${faults.length - shownFaults} more` : "";
  return `the weights do not fit: ${faults.slice(0, shownFaults).join("; ")}${more}`;
}
