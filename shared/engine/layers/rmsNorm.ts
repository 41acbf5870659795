/** Root mean square normalisation, the normalisation of the Llama family. */
import type { Node } from "../graph.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, mul, square } from "../ops/elementwise.ts";
import { reduceMean } from "../ops/reductions.ts";
import type { WeightScope } from "./weightScope.ts";

/**
 * x / sqrt(mean(x^2) + epsilon), times a weight for each of the `width` features of the last axis (Zhang and Sennrich
 * 2019). Opset 20 has no op for it; ONNX Runtime fuses these nodes into one kernel where they are not differentiated.
 */
export function rmsNorm(scope: WeightScope, x: Node, width: number, epsilon: number): Node {
  const size = sqrt(add(reduceMean(square(x), { axes: [-1], keepDims: true }), epsilon));
  return mul(div(x, size), scope.get("weight", [width]));
}
