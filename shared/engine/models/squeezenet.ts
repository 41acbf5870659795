/** SqueezeNet 1.1 (Iandola et al. 2016; github.com/forresti/SqueezeNet) up to its features, and its Keras weights. */
import type { Tensor } from "../dataTypes.ts";
import { constant, type Node } from "../graph.ts";
import { convolution } from "../layers/convolution.ts";
import { WeightError, type WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { mul, sub } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { concat } from "../ops/layout.ts";
import { globalAveragePool, maxPool } from "../ops/pooling.ts";

interface Fire {
  readonly name: string;
  /** Channels it narrows to. */
  readonly squeeze: number;
  /** Channels of each of its two expansions. */
  readonly expand: number;
  /** Whether the image is halved before it. */
  readonly pooled: boolean;
}

const fires: readonly Fire[] = [
  { name: "fire2", squeeze: 16, expand: 64, pooled: true },
  { name: "fire3", squeeze: 16, expand: 64, pooled: false },
  { name: "fire4", squeeze: 32, expand: 128, pooled: true },
  { name: "fire5", squeeze: 32, expand: 128, pooled: false },
  { name: "fire6", squeeze: 48, expand: 192, pooled: true },
  { name: "fire7", squeeze: 48, expand: 192, pooled: false },
  { name: "fire8", squeeze: 64, expand: 256, pooled: false },
  { name: "fire9", squeeze: 64, expand: 256, pooled: false },
];

/** Width of the features. */
export const squeezeNetWidth = 512;

/**
 * Features float32 [batch, 512] of RGB images float32 [batch, 3, height, width] in [0, 1]. Weights: conv1, and
 * fireN.squeeze1x1, .expand1x1 and .expand3x3 for N from 2 to 9, each with weight and bias.
 */
export function squeezeNetFeatures(scope: WeightScope, image: Node): Node {
  let x = relu(convolution(scope.scope("conv1"), asInCaffe(image), { outputs: 64, kernel: 3, stride: 2 }));
  for (const { name, squeeze, expand, pooled } of fires) {
    const fire = scope.scope(name);
    const narrow = pooled ? maxPool(x, { kernel: 3, stride: 2 }) : x;
    const squeezed = relu(convolution(fire.scope("squeeze1x1"), narrow, { outputs: squeeze, kernel: 1 }));
    const one = convolution(fire.scope("expand1x1"), squeezed, { outputs: expand, kernel: 1 });
    const three = convolution(fire.scope("expand3x3"), squeezed, { outputs: expand, kernel: 3, padding: 1 });
    x = relu(concat([one, three], 1));
  }
  return globalAveragePool(x);
}

// The network was trained in Caffe: channels blue, green, red in 0 to 255, less ImageNet's means.
function asInCaffe(image: Node): Node {
  const means = constant(Float32Array.of(104, 117, 123), [3, 1, 1]);
  return sub(mul(gather(image, constant(Int32Array.of(2, 1, 0), [3]), 1), 255), means);
}

const layers = [
  "conv1",
  ...fires.flatMap(({ name }) => ["squeeze1x1", "expand1x1", "expand3x3"].map((part) => `${name}.${part}`)),
];

/**
 * The weights under this engine's names from those of a Keras file, whose kernels are named "uniform1" onwards in the
 * order of layers and lie as [height, width, inputs, outputs]. Throws WeightError for one that is missing.
 */
export function squeezeNetFromKeras(stored: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const take = (name: string) => {
    const tensor = stored.get(name);
    if (!tensor) throw new WeightError(`weight "${name}" is not in the checkpoint`);
    return tensor;
  };
  const pairs = layers.flatMap((layer, i): [string, Tensor][] => [
    [`${layer}.weight`, outputsFirst(take(`uniform${i + 1}`))],
    [`${layer}.bias`, take(`${layer.replace(".", "/")}_b`)],
  ]);
  return Object.fromEntries(pairs);
}

/** [height, width, inputs, outputs] to [outputs, inputs, height, width]. */
function outputsFirst({ shape, data }: Tensor): Tensor {
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  const [plane, turned] = [height * width, new Float32Array(data.length)];
  for (let at = 0; at < data.length; at++) {
    const [output, input, place] = [
      at % outputs,
      Math.floor(at / outputs) % inputs,
      Math.floor(at / (outputs * inputs)),
    ];
    turned[(output * inputs + input) * plane + place] = data[at] as number;
  }
  return { shape: [outputs, inputs, height, width], data: turned };
}
