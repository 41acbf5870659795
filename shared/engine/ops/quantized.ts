/** Products of 8-bit integers: values are quantised as they come, weights beforehand. */
import { defineOp } from "../defineOp.ts";
import type { Node } from "../graph.ts";
import { broadcastShapes } from "../shape.ts";
import { mul } from "./elementwise.ts";
import { cast } from "./logic.ts";
import { result } from "./results.ts";

export const quantized = {
  // Further results: the scale, float32, and the zero point, uint8, of the whole tensor.
  DynamicQuantizeLinear: defineOp<1>("DynamicQuantizeLinear", {
    infer: ([x], _attributes, fail) => {
      if (x.dataType !== "float32") throw fail(`takes float32, not ${x.dataType}`);
      return { shape: x.shape, dataType: "uint8" };
    },
    results: 3,
    gradient: "none",
  }),
  // The third operand is the zero point of the first.
  MatMulInteger: defineOp<3>("MatMulInteger", {
    infer: ([a, b], _attributes, fail) => {
      if (a.dataType !== "uint8" || b.dataType !== "int8") throw fail("takes uint8 and int8");
      if (a.shape.length < 2 || b.shape.length < 2) throw fail("operands need two axes or more");
      if (a.shape.at(-1) !== b.shape.at(-2)) throw fail("inner dimensions differ");
      const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
      if (!batch) throw fail("batch dimensions do not broadcast");
      return { shape: [...batch, a.shape.at(-2)!, b.shape.at(-1)!], dataType: "int32" };
    },
    gradient: "none",
  }),
};

/** float32 x as scale (values - zero point), rounded to 256 steps between its own least and greatest element. */
export interface QuantizedValues {
  readonly values: Node;
  readonly scale: Node;
  readonly zeroPoint: Node;
}

export function quantize(x: Node): QuantizedValues {
  const values = quantized.DynamicQuantizeLinear([x], {});
  return {
    values,
    scale: result(values, 1, { shape: [], dataType: "float32" }),
    zeroPoint: result(values, 2, { shape: [], dataType: "uint8" }),
  };
}

/**
 * About x W, float32, where column j of W is `scales[j]` times column j of the int8 `weight`. ONNX Runtime turns these
 * nodes, and a bias that is added, into one kernel of its CPU provider.
 */
export function quantizedProduct({ values, scale, zeroPoint }: QuantizedValues, weight: Node, scales: Node): Node {
  const product = quantized.MatMulInteger([values, weight, zeroPoint], {});
  return mul(cast(product, "float32"), mul(scale, scales));
}
