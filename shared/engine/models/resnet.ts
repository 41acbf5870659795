/** Residual networks of basic blocks for small images (He et al. 2016, section 4.2); weight names as in torchvision. */
import type { Node } from "../graph.ts";
import { linear } from "../layers/basic.ts";
import type { BufferUpdates } from "../layers/batchNorm.ts";
import { type ConvolutionOptions, normalizedConvolution } from "../layers/convolution.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { add } from "../ops/elementwise.ts";
import { globalAveragePool } from "../ops/pooling.ts";

export interface ResNetConfig {
  /** Channels of each stage; every stage but the first halves the image. */
  readonly widths: readonly number[];
  /** Blocks per stage. */
  readonly blocks: number;
  /** The first convolution. Default: 3 x 3 windows at every place; a stride of 2 makes everything behind it four times cheaper. */
  readonly stem?: { readonly kernel: number; readonly stride: number };
  readonly labels: number;
}

/** Six thousand weights per block at the first stage: a network for digits. */
export const tinyResNet = { widths: [16, 32, 64], blocks: 1 } as const;

/** Logits float32 [batch, labels] of x float32 [batch, channels, height, width]. */
export function resNet(scope: WeightScope, x: Node, config: ResNetConfig, buffers?: BufferUpdates): Node {
  const features = resNetFeatures(scope, x, config, buffers);
  return linear(scope.scope("fc"), features, config.widths.at(-1)!, config.labels);
}

/** The mean of each channel of the last stage, float32 [batch, last width]. */
export function resNetFeatures(
  scope: WeightScope,
  x: Node,
  { widths, blocks, stem = { kernel: 3, stride: 1 } }: Omit<ResNetConfig, "labels">,
  buffers?: BufferUpdates,
): Node {
  if (stem.kernel % 2 === 0) throw new RangeError(`a window of ${stem.kernel} pixels has no middle`);
  const first = { ...stem, outputs: widths[0]!, padding: (stem.kernel - 1) / 2 };
  let y = relu(named(scope, "conv1", "bn1", x, first, buffers));
  for (const [stage, outputs] of widths.entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      y = basicBlock(scope.scope(`layer${stage + 1}.${block}`), y, { outputs, stride }, buffers);
    }
  }
  return globalAveragePool(y);
}

function basicBlock(
  scope: WeightScope,
  x: Node,
  { outputs, stride }: { outputs: number; stride: number },
  buffers: BufferUpdates | undefined,
): Node {
  const first = { outputs, kernel: 3, stride, padding: 1 };
  const inner = relu(named(scope, "conv1", "bn1", x, first, buffers));
  const residual = named(scope, "conv2", "bn2", inner, { outputs, kernel: 3, padding: 1 }, buffers);
  const same = stride === 1 && x.type.shape[1] === outputs;
  const short = { outputs, kernel: 1, stride };
  return relu(add(residual, same ? x : named(scope, "downsample.0", "downsample.1", x, short, buffers)));
}

function named(
  scope: WeightScope,
  convolution: string,
  norm: string,
  x: Node,
  options: Omit<ConvolutionOptions, "bias">,
  buffers: BufferUpdates | undefined,
): Node {
  const scopes = { convolution: scope.scope(convolution), norm: scope.scope(norm) };
  return normalizedConvolution(scopes, x, options, buffers);
}
