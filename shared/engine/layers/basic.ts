/**
 * The layers everything is made of. Each takes its weights from a scope, under the names a Hugging Face checkpoint
 * uses.
 */
import type { Node } from "../graph.ts";
import { add } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { layerNormalization } from "../ops/normalization.ts";
import type { WeightScope } from "./weightScope.ts";

export interface LinearOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
}

/**
 * x W^T + b over the last axis, from `inputs` to `outputs` features; W is stored [outputs, inputs], as PyTorch does. x
 * has two axes or more.
 */
export function linear(scope: WeightScope, x: Node, inputs: number, outputs: number, options?: LinearOptions): Node {
  const product = matmul(x, swapLast(scope.get("weight", [outputs, inputs])));
  const extension = scope.extend({ x, inputs, outputs, stored: "outputs-first" });
  const y = withBias(scope, product, outputs, options);
  return extension ? add(y, extension) : y;
}

/** x W + b with W stored [inputs, outputs], as GPT-2's checkpoints do (transformers' Conv1D). */
export function linearInputsFirst(scope: WeightScope, x: Node, inputs: number, outputs: number): Node {
  const product = matmul(x, scope.get("weight", [inputs, outputs]));
  const extension = scope.extend({ x, inputs, outputs, stored: "inputs-first" });
  const y = withBias(scope, product, outputs);
  return extension ? add(y, extension) : y;
}

function withBias(scope: WeightScope, x: Node, outputs: number, { bias = true }: LinearOptions = {}): Node {
  return bias ? add(x, scope.get("bias", [outputs])) : x;
}

/** Over the last axis, of `width` features. */
export function layerNorm(scope: WeightScope, x: Node, width: number, epsilon = 1e-12): Node {
  return layerNormalization(x, scope.get("weight", [width]), scope.get("bias", [width]), epsilon);
}

/**
 * Rows of a [rows, width] table: `ids` (int32 or int64, any shape) become [...ids, width]. An id beyond the table fails
 * the run.
 */
export function embedding(scope: WeightScope, ids: Node, rows: number, width: number): Node {
  return gather(scope.get("weight", [rows, width]), ids);
}
