/** What of a writing base is served: `servingModel`, for a graph that repeats. */
import type { Carried, GenerationLoop, LoopWithData } from "../generation/loopModel.ts";
import type { Node } from "../graph.ts";
import { mapValues } from "./frozenLeaves.ts";
import type { Precision } from "./precision.ts";
import { servingModel } from "./serving.ts";

/** A loop with its frozen matrices (those it has data for) in a precision; inputs and outputs stay the same. */
export function servingLoop({ loop, initializers }: LoopWithData, precision: Precision): LoopWithData {
  const found: Record<string, Node> = {};
  // All values of the loop go through as the outputs of one model, and come back by these names.
  visit(loop, (node, name) => (found[name] = node));
  const { outputs, ...served } = servingModel({ outputs: found, initializers }, precision);
  return { ...served, loop: visit(loop, (_node, name) => outputs[name]!) };
}

/** The loop of what each of its values becomes; `before` is a leaf, which stays as it is. */
function visit(loop: GenerationLoop, become: (node: Node, name: string) => Node): GenerationLoop {
  const carried = (value: Carried, name: string): Carried => ({
    ...value,
    first: become(value.first, `first:${name}`),
    after: become(value.after, `after:${name}`),
  });
  return {
    steps: become(loop.steps, "steps"),
    goOn: become(loop.goOn, "go on"),
    carried: mapValues(loop.carried, carried),
    collected: mapValues(loop.collected, (node, name) => become(node, `collected:${name}`)),
  };
}
