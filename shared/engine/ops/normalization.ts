/** Softmax, its logarithm, and layer normalisation, all over the last axis. */
import { defineOp } from "../defineOp.ts";
import type { Node, TensorType } from "../graph.ts";
import { type ShapeError, sameShape } from "../shape.ts";
import { exp } from "./activations.ts";
import { mul, square, sub } from "./elementwise.ts";
import { cast } from "./logic.ts";
import { reduceMean, reduceSum } from "./reductions.ts";
import { result } from "./results.ts";

const last = { axes: [-1], keepDims: true } as const;

function alongLast([x]: readonly [TensorType], _attributes: unknown, fail: (reason: string) => ShapeError): TensorType {
  if (x.shape.length === 0) throw fail("a scalar has no last axis");
  return x;
}

export const normalization = {
  Softmax: defineOp<1, { axis: -1 }>("Softmax", {
    attributes: { axis: "int" },
    infer: alongLast,
    // dx = y (dy - sum(dy y))
    gradient: ({ output: y, dy }) => [mul(y, sub(dy, reduceSum(mul(dy, y), last)))],
  }),
  LogSoftmax: defineOp<1, { axis: -1 }>("LogSoftmax", {
    attributes: { axis: "int" },
    infer: alongLast,
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
    // With c = x - mean, r = 1 / deviation and dn = dy weight (Ba et al. 2016):
    // dx = r (dn - mean(dn)) - c r^3 mean(dn c)
    gradient: ({ inputs: [x, weight], output, dy }) => {
      // Both are float32, whatever x is (ONNX's stash_type).
      const perRow = { shape: [...x.type.shape.slice(0, -1), 1], dataType: "float32" } as const;
      const saved = (index: number) => cast(result(output, index, perRow), x.type.dataType);
      const [mean, r] = [saved(1), saved(2)];
      const centred = sub(x, mean);
      const dn = mul(dy, weight);
      const along = mul(reduceMean(mul(dn, centred), last), mul(square(r), r));
      const dx = sub(mul(sub(dn, reduceMean(dn, last)), r), mul(centred, along));
      return [dx, mul(dy, mul(centred, r)), dy];
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
