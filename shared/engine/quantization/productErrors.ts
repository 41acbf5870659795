/** What int8 would cost each frozen matrix, measured on a batch: which of them had better stay float32. */
import type { Tensor } from "../dataTypes.ts";
import { type Node, topologicalOrder } from "../graph.ts";
import type { Model, ModelWithData } from "../onnx.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, max, square, sub } from "../ops/elementwise.ts";
import { quantize } from "../ops/quantized.ts";
import { reduceSum } from "../ops/reductions.ts";
import { int8Product } from "./frozenInt8.ts";
import { FrozenLeaves } from "./frozenLeaves.ts";

const prefix = "error:";
// A product of zeros, such as the gradient of a batch that does not count, is not wrong.
const tiny = 1e-30;

/**
 * A model with one scalar output per frozen matrix that may become int8: the largest error of a product with it, forward
 * or backward, relative to the exact product (both as root mean squares). It takes the inputs of the model given, and
 * runs where training will run: the runtime's kernels are part of what is measured.
 */
export function productErrors({ outputs, initializers = {} }: Model): ModelWithData {
  const leaves = new FrozenLeaves(initializers);
  const worst = new Map<string, Node>();
  for (const node of topologicalOrder(Object.values(outputs))) {
    const found = node.op === "MatMul" ? leaves.operand(node.inputs[1]!) : undefined;
    if (!found) continue;
    const name = `${prefix}${found.weight.name}`;
    const error = relativeError(int8Product(quantize(node.inputs[0]!), found, leaves), node);
    const soFar = worst.get(name);
    worst.set(name, soFar ? max(soFar, error) : error);
  }
  const errors = Object.fromEntries(worst);
  return { outputs: errors, initializers: leaves.dataFor(Object.values(errors)) };
}

function relativeError(approximate: Node, exact: Node): Node {
  return sqrt(div(reduceSum(square(sub(approximate, exact))), add(reduceSum(square(exact)), tiny)));
}

/** An option of `int8Step` and `int8Model`: matrices whose error was above `limit`, or is no number, stay float32. */
export function keepWorseThan(limit: number, errors: Readonly<Record<string, Tensor>>): (name: string) => boolean {
  return (name) => {
    const error = errors[`${prefix}${name}`];
    return error !== undefined && !(Number(error.data[0]) <= limit);
  };
}
