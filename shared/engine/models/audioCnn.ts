/** A convolutional classifier of signals over time, such as log-mel features of audio: one spatial axis. */
import type { Node } from "../graph.ts";
import { linear } from "../layers/basic.ts";
import { normalizedConvolution } from "../layers/convolution.ts";
import { dropout } from "../layers/dropout.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { globalAveragePool, maxPool } from "../ops/pooling.ts";
import type { TrainingContext } from "./trainingContext.ts";

export interface AudioCnnConfig {
  /** Channels of each block; every block halves the time. */
  readonly widths: readonly number[];
  readonly labels: number;
}

/**
 * Logits float32 [batch, labels] of x float32 [batch, features, frames], the frames of known number. Weights: convs.N.*,
 * norms.N.*, classifier.*.
 */
export function audioCnn(
  scope: WeightScope,
  x: Node,
  { widths, labels }: AudioCnnConfig,
  { buffers, dropout: noise }: TrainingContext = {},
): Node {
  const seen = widths.reduce((below, outputs, i) => {
    const scopes = { convolution: scope.scope(`convs.${i}`), norm: scope.scope(`norms.${i}`) };
    const options = { outputs, kernel: 3, padding: 1 };
    return maxPool(relu(normalizedConvolution(scopes, below, options, buffers)), { kernel: 2 });
  }, x);
  const features = dropout(globalAveragePool(seen), "features", noise);
  return linear(scope.scope("classifier"), features, widths.at(-1)!, labels);
}
