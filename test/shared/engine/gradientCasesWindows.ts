/** What to differentiate of convolutions and pooling: strides with and without remainder, dilation, groups, symbolic axes. */
import {
  averagePool,
  type Convolution,
  conv,
  convTranspose,
  input,
  maxPool,
  type Pooling,
  type Shape,
  square,
} from "../../../shared/engine/index.ts";
import { size, spread, type Variant } from "./gradientVariants.ts";
import { tensor } from "./run.ts";

type Build = typeof conv | typeof convTranspose;

const over = (build: Build, x: Shape, w: Shape, options: Convolution = {}): Variant => ({
  operands: { x, w },
  build: (nodes) => build(nodes.x!, nodes.w!, options),
});

const withBias: Variant = {
  operands: { x: [2, 2, 4], w: [3, 2, 2], b: [3] },
  build: ({ x, w, b }) => conv(square(x!), w!, { bias: square(b!) }),
};

// Length 7, windows of 2 with stride 3: the last element is in no window.
const remainder: Variant = over(conv, [2, 2, 7], [3, 2, 2], { stride: 3 });

// The batch is fed, so that weights alone are differentiated, as in a training step.
const weightsOnly: Variant = {
  operands: { w: [2, 1, 2] },
  build: ({ w }) => conv(input("source", ["rows", 2, "samples"]), w!, { stride: 2, groups: 2 }),
  feeds: {
    source: tensor(
      [2, 2, 6],
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    ),
  },
};

export const convCases: Variant[] = [
  over(conv, [2, 2, 5], [3, 2, 3]),
  over(conv, ["batch", 2, "sequence"], [3, 2, 3], { padding: 1 }),
  over(conv, ["batch", 2, "sequence"], [3, 2, 2]),
  over(conv, [2, 2, 7], [3, 2, 3], { stride: 2, padding: 1 }),
  remainder,
  over(conv, [1, 2, 8], [2, 2, 2], { stride: 2, dilation: 3, padding: 1 }),
  over(conv, [2, 2, 9], [2, 2, 3], { stride: 3, dilation: 2 }),
  over(conv, [2, 4, 5], [6, 2, 2], { groups: 2 }),
  over(conv, ["batch", 3, 6], [3, 1, 3], { groups: 3, stride: 2, padding: 1 }),
  over(conv, ["batch", 2, 4, 5], [3, 2, 3, 3], { stride: 2, padding: 1 }),
  over(conv, ["batch", 2, 4, 5], [2, 2, 2, 1], { stride: [1, 3], padding: [1, 0], dilation: [2, 1] }),
  over(conv, ["batch", 4, 4, 4], [4, 2, 3, 3], { groups: 2, padding: 1, stride: 2 }),
  over(conv, ["batch", 1, 2, 3, 3], [2, 1, 2, 2, 2], { padding: [0, 1, 0] }),
  withBias,
];

/** Axes whose size only the feeds tell, so that the remainder of a stride is not known when the graph is built. */
export const symbolicConvCases: Variant[] = [
  over(conv, ["batch", 2, "samples"], [2, 2, 2], { stride: 3 }),
  over(conv, ["batch", 2, "samples"], [2, 2, 3], { stride: 2, padding: 1, dilation: 2 }),
  over(conv, ["batch", 2, "samples"], [2, 1, 3], { stride: 3, padding: 1, groups: 2 }),
  weightsOnly,
];

export const convTransposeCases: Variant[] = [
  over(convTranspose, [2, 2, 4], [2, 3, 3]),
  over(convTranspose, ["batch", 2, "sequence"], [2, 3, 3], { padding: 1 }),
  over(convTranspose, [2, 2, 4], [2, 3, 3], { stride: 2, padding: 1 }),
  over(convTranspose, [2, 4, 3], [4, 2, 2], { stride: 3, groups: 2, dilation: 2 }),
  over(convTranspose, ["batch", 2, 3, 2], [2, 1, 2, 3], { stride: [2, 1] }),
];

const pooled = (build: typeof maxPool, x: Shape, options: Pooling): Variant => ({
  operands: { x },
  build: (nodes) => build(nodes.x!, options),
  values: { x: spread(size(x)) },
});

export const maxPoolCases: Variant[] = [
  pooled(maxPool, [2, 2, 6], { kernel: 2 }),
  pooled(maxPool, ["batch", 2, 7], { kernel: 3, stride: 2, padding: 1 }),
  pooled(maxPool, ["batch", 2, 7], { kernel: 2, stride: 3 }),
  pooled(maxPool, [1, 1, 8], { kernel: 3, stride: 1, dilation: 2 }),
  pooled(maxPool, ["batch", 2, 5, 4], { kernel: 3, stride: 2, padding: 1 }),
  pooled(maxPool, ["batch", 2, 4, 5], { kernel: [1, 2], stride: [1, 2] }),
];

export const averagePoolCases: Variant[] = [
  pooled(averagePool, [2, 2, 6], { kernel: 2 }),
  pooled(averagePool, ["batch", 2, "sequence"], { kernel: 3, stride: 1, padding: 1 }),
  pooled(averagePool, ["batch", 2, 7], { kernel: 2, stride: 3 }),
  pooled(averagePool, ["batch", 2, 5, 4], { kernel: [3, 2], stride: 2, padding: [1, 0] }),
];
