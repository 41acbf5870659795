/** Convolution as a layer, alone and with the batch normalisation that follows it. */
import type { Node } from "../graph.ts";
import { type Convolution, conv } from "../ops/convolution.ts";
import { mul } from "../ops/elementwise.ts";
import { reshape } from "../ops/layout.ts";
import type { PerAxis } from "../ops/window.ts";
import { type BufferUpdates, batchNorm, inferenceScale } from "./batchNorm.ts";
import type { WeightScope } from "./weightScope.ts";

export interface ConvolutionOptions extends Omit<Convolution, "bias"> {
  /** Channels of the result. */
  readonly outputs: number;
  /** The size of the window. */
  readonly kernel: PerAxis;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
}

/** x [batch, channels, ...space] to [batch, outputs, ...windows]. Weights: weight, and bias unless switched off. */
export function convolution(scope: WeightScope, x: Node, options: ConvolutionOptions): Node {
  const bias = options.bias === false ? undefined : scope.get("bias", [options.outputs]);
  return conv(x, convolutionWeight(scope, x, options), { ...options, bias });
}

/**
 * A convolution without bias, then batch normalisation: `training` collects the next running statistics. Without it the
 * two are one convolution, whose weights ONNX Runtime folds when it loads the model.
 */
export function normalizedConvolution(
  scopes: { readonly convolution: WeightScope; readonly norm: WeightScope },
  x: Node,
  options: Omit<ConvolutionOptions, "bias">,
  training?: BufferUpdates,
): Node {
  const weight = convolutionWeight(scopes.convolution, x, options);
  if (training) return batchNorm(scopes.norm, conv(x, weight, options), { training });
  const { scale, shift } = inferenceScale(scopes.norm, options.outputs);
  const perOutput = reshape(scale, [options.outputs, ...weight.type.shape.slice(1).map(() => 1)]);
  return conv(x, mul(weight, perOutput), { ...options, bias: shift });
}

function convolutionWeight(
  scope: WeightScope,
  x: Node,
  { outputs, kernel, groups = 1 }: Omit<ConvolutionOptions, "bias">,
): Node {
  const [, channels, ...spatial] = x.type.shape;
  const window = typeof kernel === "number" ? spatial.map(() => kernel) : kernel;
  return scope.get("weight", [outputs, (channels as number) / groups, ...window]);
}
