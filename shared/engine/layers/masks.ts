/** Which positions a position may attend to, as numbers added to attention scores. */
import { constant, type Node } from "../graph.ts";
import { bits } from "../ops/bits.ts";
import { mul, sub } from "../ops/elementwise.ts";
import { reshape, unsqueeze } from "../ops/layout.ts";
import { cast, greater, where } from "../ops/logic.ts";
import { dimensionOf } from "../ops/shapes.ts";

// Finite, so that a row that may see nothing still has finite attention.
const hidden = -1e9;

/** float32 [batch, 1, 1, sequence] from an int32 mask [batch, sequence] of 1 for a token and 0 for padding. */
export function paddingMask(attentionMask: Node): Node {
  const [batch, sequence] = attentionMask.type.shape;
  return reshape(mul(sub(1, cast(attentionMask, "float32")), hidden), [batch!, 1, 1, sequence!]);
}

/** float32 [sequence, sequence]: row i sees columns 0 to i. The sequence is axis 1 of `ids` [batch, sequence]. */
export function causalMask(ids: Node): Node {
  const length = ids.type.shape[1]!;
  const count = reshape(dimensionOf(ids, 1), []);
  const positions = bits.Range([constant(0, "int64"), count, constant(1, "int64")], { length });
  return where(greater(unsqueeze(positions, [0]), unsqueeze(positions, [1])), constant(hidden), 0);
}
