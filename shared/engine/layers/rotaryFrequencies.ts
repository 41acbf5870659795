/** How fast each pair of a rotary embedding turns, and how that is slowed for texts longer than those first trained on. */

/**
 * Slower turns for a longer context. "linear" divides all by `factor` (Chen et al. 2023); "llama3" divides those whose
 * wavelength exceeds originalPositions / lowFactor, leaves those below originalPositions / highFactor, and blends
 * between. Reference: `_compute_llama3_parameters` in
 * https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/modeling_rope_utils.py
 */
export type RotaryScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFactor: number;
      readonly highFactor: number;
      readonly originalPositions: number;
    };

/** Radians a position, for each of width / 2 pairs: theta^(-2i/width), scaled where asked. In float64. */
export function rotaryFrequencies(width: number, theta: number, scaling?: RotaryScaling): number[] {
  const plain = Array.from({ length: width / 2 }, (_, pair) => theta ** ((-2 * pair) / width));
  return scaling ? plain.map((frequency) => frequency * slowing(frequency, scaling)) : plain;
}

function slowing(frequency: number, scaling: RotaryScaling): number {
  if (scaling.type === "linear") return 1 / scaling.factor;
  const { factor, lowFactor, highFactor, originalPositions } = scaling;
  const turns = (originalPositions * frequency) / (2 * Math.PI);
  const kept = Math.min(Math.max((turns - lowFactor) / (highFactor - lowFactor), 0), 1);
  return kept + (1 - kept) / factor;
}
