/** Products of 8-bit integers: values are quantised as they come, weights beforehand. */
import { defineOp } from "../defineOp.ts";
import { constant, type Node } from "../graph.ts";
import { broadcastShapes, product, sameShape } from "../shape.ts";
import { neg } from "./activations.ts";
import { max, mul } from "./elementwise.ts";
import { expandLike, reshape, reshapeLike } from "./layout.ts";
import { cast } from "./logic.ts";
import { reduceMax, reduceMin } from "./reductions.ts";
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
  // x / scale + zero point, rounded to even and saturated; with a scale and a zero point for each index of the axis.
  QuantizeLinear: defineOp<3, { axis: number }>("QuantizeLinear", {
    attributes: { axis: "int" },
    infer: ([x, scale, zeroPoint], { axis }, fail) => {
      if (x.dataType !== "float32" || scale.dataType !== "float32") throw fail("takes float32");
      if (zeroPoint.dataType !== "uint8") throw fail(`rounds to uint8, not ${zeroPoint.dataType}`);
      const each = [x.shape[axis]!];
      if (!sameShape(scale.shape, each) || !sameShape(zeroPoint.shape, each))
        throw fail("scales and zero points are as many as the axis is long");
      return { shape: x.shape, dataType: "uint8" };
    },
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
  // Operands: a and b, their scales, and the zero point of a. The scale of a is a single number, that of b one a column.
  // https://github.com/microsoft/onnxruntime/blob/v1.23.0/docs/ContribOperators.md#com.microsoft.MatMulIntegerToFloat
  MatMulIntegerToFloat: defineOp<"many">("MatMulIntegerToFloat", {
    domain: "com.microsoft",
    infer: ([a, b, aScale, bScale, aZero, ...others], _attributes, fail) => {
      if (!aZero || others.length) throw fail("takes two operands, their scales and a zero point");
      if (a!.dataType !== "uint8" || b!.dataType !== "int8") throw fail("takes uint8 and int8");
      if (a!.shape.at(-1) !== b!.shape[0] || b!.shape.length !== 2) throw fail("inner dimensions differ");
      if (aScale!.shape.length || bScale!.shape[0] !== b!.shape[1])
        throw fail("scales are one of a, and one a column of b");
      return { shape: [...a!.shape.slice(0, -1), b!.shape[1]!], dataType: "float32" };
    },
    gradient: "none",
  }),
};

/** float32 x as about scale (values - zero point). */
export interface QuantizedValues {
  readonly values: Node;
  readonly scale: Node;
  readonly zeroPoint: Node;
}

/** With one scale, of 256 steps between the least and the greatest element of x. */
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

const [middle, reach] = [128, 127];
// A vector of zeros, or of less than this, is rounded to zeros.
const least = 1e-20;

/**
 * With a scale for each vector along the last axis, of 127 steps between zero and its largest element either way: what
 * becomes of a vector does not depend on those beside it.
 */
export function quantizeVectors(x: Node): QuantizedValues {
  const along = { axes: [-1], keepDims: true };
  // Two passes that only read take less time than one that also writes |x|.
  const largest = max(max(reduceMax(x, along), neg(reduceMin(x, along))), least);
  const scale = mul(largest, 1 / reach);
  const vectors = product(x.type.shape.slice(0, -1));
  const scales = reshape(scale, [vectors]);
  const zeroPoints = expandLike(constant(Uint8Array.of(middle), [1]), scales);
  const rounded = quantized.QuantizeLinear([reshape(x, [vectors, x.type.shape.at(-1)!]), scales, zeroPoints], {
    axis: 0,
  });
  return { values: reshapeLike(rounded, x), scale, zeroPoint: constant(middle, "uint8") };
}

/**
 * As `quantizedProduct`, where each vector has its scale. No standard ONNX: with cast and columns' scales in the
 * product's own kernel a base of MiniLM's size reads texts 5 % faster.
 */
export function quantizedVectorProduct(
  { values, scale, zeroPoint }: QuantizedValues,
  weight: Node,
  scales: Node,
): Node {
  return mul(quantized.MatMulIntegerToFloat([values, weight, constant(1), scales, zeroPoint], {}), scale);
}
