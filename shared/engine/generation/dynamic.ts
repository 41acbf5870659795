/** Nodes whose size is known only at run time. */
import { constant, int64s, type Node } from "../graph.ts";
import { bits } from "../ops/bits.ts";
import { concat, layout, reshape } from "../ops/layout.ts";
import { cast } from "../ops/logic.ts";
import { dimensionOf, shapes } from "../ops/shapes.ts";

/** 0, 1, 2 ... as int32, as many as x has along an axis. */
export function counted(x: Node, axis: number): Node {
  const count = reshape(dimensionOf(x, axis), []);
  const length = x.type.shape[axis]!;
  return cast(bits.Range([constant(0, "int64"), count, constant(1, "int64")], { length }), "int32");
}

/** x with nothing left along an axis, whose size is then called `name`: where something that will grow begins. */
export function beginning(x: Node, axis: number, name: string): Node {
  const to = x.type.shape.map((dim, i) => (i === axis ? name : dim));
  return layout.Slice([x, int64s([0]), int64s([0]), int64s([axis])], { to, axis });
}

/** float32 zeros [rows, columns], with the rows of x. */
export function zeroRows(x: Node, columns: number): Node {
  const shape = concat([dimensionOf(x, 0), int64s([columns])], 0);
  return shapes.ConstantOfShape([shape], { to: [x.type.shape[0]!, columns] });
}
