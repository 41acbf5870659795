/** Elements put before and behind the elements of an axis. */
import { constant, int64s, type Node } from "../graph.ts";
import { type Dim, resolveAxis, ShapeError } from "../shape.ts";
import { layout } from "./layout.ts";

export interface Padding {
  /** Counted from either end. */
  readonly axis: number;
  /** How many elements go before. Default 0. */
  readonly before?: number;
  /** How many elements go behind. Default 0. */
  readonly behind?: number;
  /** Default 0. */
  readonly value?: number;
}

/** x made longer along one axis. Throws ShapeError where x has no such axis or a count is negative. */
export function pad(x: Node, { axis, before = 0, behind = 0, value = 0 }: Padding): Node {
  const at = resolveAxis(axis, x.type.shape.length);
  if (at === undefined) throw new ShapeError("Pad", [x.type.shape], `no axis ${axis}`);
  if (before < 0 || behind < 0) throw new ShapeError("Pad", [x.type.shape], `cannot pad by ${before} and ${behind}`);
  if (before + behind === 0) return x;
  const to = x.type.shape.map((dim, i) => (i === at ? longer(dim, before + behind) : dim));
  const pads = int64s([...to, ...to].map((_, i) => (i === at ? before : i === at + to.length ? behind : 0)));
  return layout.Pad([x, pads, constant(value, x.type.dataType)], { to, axis: at });
}

/** A dimension and a number of elements more, or fewer; a symbolic one becomes a name such as "sequence+2". */
export function longer(dim: Dim, by: number): Dim {
  if (typeof dim === "number") return dim + by;
  return by === 0 ? dim : `${dim}${by > 0 ? "+" : ""}${by}`;
}
