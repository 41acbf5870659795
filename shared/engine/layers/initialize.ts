/** First values of weights, a pure function of the seed and each weight's name. */
import type { Node } from "../graph.ts";
import { hashName, normals } from "../random.ts";
import { elementCount } from "../shape.ts";

// LayerNorm, input_layernorm, sa_layer_norm, norm, ln_1: the names of checkpoints.
const normalizationScale = /(?:norm|\bln_\w+)\.weight$/i;

/**
 * BERT's initialisation (Devlin et al. 2019): normal of deviation 0.02, zero for biases, one for the scale of a
 * normalisation. Returns float32 data by name.
 */
export function initialize(parameters: readonly Node[], seed: number, deviation = 0.02): Record<string, Float32Array> {
  return Object.fromEntries(
    parameters.map((node) => {
      const name = node.name!;
      const length = elementCount(node.type.shape);
      if (name.endsWith("bias")) return [name, new Float32Array(length)];
      if (normalizationScale.test(name)) return [name, new Float32Array(length).fill(1)];
      return [name, normals(length, { seed, stream: hashName(name), deviation })];
    }),
  );
}
