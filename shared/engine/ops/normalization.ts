/** Softmax, its logarithm, and layer normalisation, all over the last axis. */
import { defineOp } from "../defineOp.ts";
import type { Node } from "../graph.ts";
import { sameShape } from "../shape.ts";
import { exp, sqrt } from "./activations.ts";
import { add, div, mul, square, sub } from "./elementwise.ts";
import { reduceMean, reduceSum } from "./reductions.ts";

const last = { axes: [-1], keepDims: true } as const;

export const normalization = {
  Softmax: defineOp<1, { axis: -1 }>("Softmax", {
    attributes: { axis: "int" },
    infer: ([x]) => x,
    // dx = y (dy - sum(dy y))
    gradient: ({ output: y, dy }) => [mul(y, sub(dy, reduceSum(mul(dy, y), last)))],
  }),
  LogSoftmax: defineOp<1, { axis: -1 }>("LogSoftmax", {
    attributes: { axis: "int" },
    infer: ([x]) => x,
    // dx = dy - softmax(x) sum(dy)
    gradient: ({ output: y, dy }) => [sub(dy, mul(exp(y), reduceSum(dy, last)))],
  }),
  LayerNormalization: defineOp<3, { axis: -1; epsilon: number }>("LayerNormalization", {
    attributes: { axis: "int", epsilon: "float" },
    infer: ([x, weight, bias], _attributes, fail) => {
      const width = x.shape.slice(-1);
      if (!sameShape(weight.shape, width) || !sameShape(bias.shape, width))
        throw fail("weight and bias must span the last axis");
      return x;
    },
    // Nodes have one output, so mean and deviation, two numbers a row, are computed again. With n = (x - mean) / deviation
    // and dn = dy weight (Ba et al. 2016):
    // dx = (dn - mean(dn) - n mean(dn n)) / deviation
    gradient: ({ inputs: [x, weight], dy, attributes: { epsilon } }) => {
      const centred = sub(x, reduceMean(x, last));
      const deviation = sqrt(add(reduceMean(square(centred), last), epsilon));
      const normal = div(centred, deviation);
      const dn = mul(dy, weight);
      const along = add(reduceMean(dn, last), mul(normal, reduceMean(mul(dn, normal), last)));
      return [div(sub(dn, along), deviation), mul(dy, normal), dy];
    },
  }),
};

/** Over the last axis. */
export function softmax(x: Node): Node {
  return normalization.Softmax([x], { axis: -1 });
}
/** Over the last axis. */
export function logSoftmax(x: Node): Node {
  return normalization.LogSoftmax([x], { axis: -1 });
}
/**
 * Rows of x to mean 0 and variance 1, then scaled and shifted; `weight` and `bias` have the length of the last axis.
 */
export function layerNormalization(x: Node, weight: Node, bias: Node, epsilon = 1e-12): Node {
  return normalization.LayerNormalization([x, weight, bias], { axis: -1, epsilon });
}
