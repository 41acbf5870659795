/** Reverse-mode differentiation as one pure function from graph to graph. */
import { constant, describe, type Node, topologicalOrder } from "./graph.ts";
import { add } from "./ops/elementwise.ts";
import { definitionOf } from "./ops/index.ts";
import { sumTo } from "./ops/reductions.ts";
import { held, type Operands, recomputing } from "./recompute.ts";

/** The loss cannot be differentiated as asked; the message names the op or the target. */
export class GradientError extends Error {
  override name = "GradientError";
}

export interface GradientOptions {
  /** Values between which activations are computed again instead of held: see recompute.ts. Default: all are held. */
  readonly boundaries?: readonly Node[] | undefined;
}

/**
 * The gradient of a scalar float32 `loss` for each target, as new nodes of the targets' types. Only what leads to a
 * target is built. Throws GradientError where the path crosses an op without gradient, or where a target does not reach
 * the loss.
 */
export function gradients(loss: Node, targets: readonly Node[], { boundaries }: GradientOptions = {}): Map<Node, Node> {
  if (loss.type.shape.length > 0) throw new GradientError(`the loss must be a scalar, not ${describe(loss)}`);
  const order = topologicalOrder([loss]);
  const needed = dependents(order, targets);
  const operandsOf = boundaries ? recomputing(loss, boundaries) : held;
  const collected = new Map<Node, Node>([[loss, constant(1, loss.type.dataType)]]);
  for (const node of order.reverse()) {
    const dy = collected.get(node);
    if (!dy || !needed.has(node)) continue;
    for (const [input, gradient] of inputGradients(node, dy, operandsOf(node, dy))) {
      if (!needed.has(input)) continue;
      const fitted = sumTo(gradient, input.type.shape);
      const soFar = collected.get(input);
      collected.set(input, soFar ? add(soFar, fitted) : fitted);
    }
  }
  return new Map(targets.map((target) => [target, collected.get(target) ?? unreached(target)]));
}

/** The targets and every node computed from one. */
function dependents(order: readonly Node[], targets: readonly Node[]): Set<Node> {
  const needed = new Set<Node>(targets);
  for (const node of order) if (node.inputs.some((input) => needed.has(input))) needed.add(node);
  return needed;
}

function inputGradients(node: Node, dy: Node, { inputs, output }: Operands): [Node, Node][] {
  const definition = definitionOf(node);
  if (!definition) return [];
  if (definition.gradient === "none")
    throw new GradientError(`${describe(node)} has no gradient, and the loss depends on a target through it`);
  const found = definition.gradient({ inputs: inputs as never, output, dy, attributes: node.attributes });
  return node.inputs.flatMap((input, i) => (found[i] ? [[input, found[i]] satisfies [Node, Node]] : []));
}

function unreached(target: Node): never {
  throw new GradientError(`the loss does not depend on ${describe(target)}`);
}
