/** First values for networks of convolutions and recurrent layers, a pure function of the seed and each weight's name. */
import type { Node } from "../graph.ts";
import { hashName, normals } from "../random.ts";
import { elementCount } from "../shape.ts";

type Deviation = (shape: readonly number[]) => number;
const fanIn: Deviation = (shape) => shape.slice(1).reduce((product, size) => product * size, 1);

const deviations: readonly (readonly [pattern: RegExp, deviation: Deviation])[] = [
  [/embeddings?\b.*weight$/, () => 0.1],
  // Recurrent weights are applied at every step: they must not make the state grow.
  [/weight_(ih|hh)_/, (shape) => Math.sqrt(1 / fanIn(shape))],
  // He et al. 2015, equation 10, for layers under a rectifier.
  [/./, (shape) => Math.sqrt(2 / fanIn(shape))],
];

/**
 * Normal values whose deviation keeps the size of what flows through; one for the scales and variances of
 * normalisation, which are the vectors that are not biases or means, and zero for those. Returns float32 data by name.
 */
export function initializeByFan(parameters: readonly Node[], seed: number): Record<string, Float32Array> {
  return Object.fromEntries(
    parameters.map(({ name, type }) => {
      const shape = type.shape as readonly number[];
      const length = elementCount(shape);
      if (shape.length < 2) return [name, new Float32Array(length).fill(/bias|mean/.test(name!) ? 0 : 1)];
      const [, deviation] = deviations.find(([pattern]) => pattern.test(name!))!;
      return [name, normals(length, { seed, stream: hashName(name!), deviation: deviation(shape) })];
    }),
  );
}
