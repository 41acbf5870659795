/** Smooth relatives of the rectifier and of the logarithm of the sigmoid, in forms that neither overflow nor cancel. */
import { defineOp } from "../defineOp.ts";
import type { Node } from "../graph.ts";
import { neg, sigmoid } from "./activations.ts";
import { mul } from "./elementwise.ts";

export const smoothActivations = {
  Softplus: defineOp<1>("Softplus", { infer: ([x]) => x, gradient: ({ inputs: [x], dy }) => [mul(dy, sigmoid(x))] }),
};

/** x sigmoid(x) (Elfwing et al. 2017), also called swish. */
export function silu(x: Node): Node {
  return mul(x, sigmoid(x));
}
/** log(1 + e^x), which is x for large x. */
export function softplus(x: Node): Node {
  return smoothActivations.Softplus([x], {});
}
/** log(sigmoid(x)), finite wherever x is. */
export function logSigmoid(x: Node): Node {
  return neg(softplus(neg(x)));
}
