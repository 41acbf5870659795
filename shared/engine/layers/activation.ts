/** Activation functions by the names that Hugging Face configurations use. */
import type { Node } from "../graph.ts";
import { gelu, geluTanh, relu, tanh } from "../ops/activations.ts";
import { silu } from "../ops/smoothActivations.ts";

export const activations = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
  silu,
  swish: silu,
  tanh,
} as const satisfies Record<string, (x: Node) => Node>;

export type ActivationName = keyof typeof activations;
