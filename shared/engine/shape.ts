/** Shapes whose dimensions are numbers, or names bound when the graph runs; equal names are equal sizes. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Operands do not fit an op; the message names the op and every operand shape. */
export class ShapeError extends Error {
  constructor(op: string, shapes: readonly Shape[], reason: string) {
    super(`${op}(${shapes.map(formatShape).join(", ")}): ${reason}`);
    this.name = "ShapeError";
  }
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** An axis counted from the front, given one counted from either end; undefined when the shape has no such axis. */
export function resolveAxis(axis: number, rank: number): number | undefined {
  const resolved = axis < 0 ? axis + rank : axis;
  return Number.isInteger(axis) && resolved >= 0 && resolved < rank ? resolved : undefined;
}

/**
 * numpy broadcasting of two shapes, or undefined; a symbolic dimension only meets itself or 1, as its size is unknown
 * here.
 */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const dims: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    dims.push(x === 1 ? y : x);
  }
  return dims;
}

/** The number of elements, as a number where every dimension is one, else as a name such as "64*batch*sequence". */
export function product(dims: Shape): Dim {
  const factors = dims.flatMap((dim) => String(dim).split("*"));
  const names = factors.filter((factor) => Number.isNaN(Number(factor))).sort();
  const size = factors.reduce((total, factor) => total * (Number.isNaN(Number(factor)) ? 1 : Number(factor)), 1);
  if (names.length === 0) return size;
  return (size === 1 ? names : [size, ...names]).join("*");
}

/** Element count of a fully known shape; throws where a dimension is symbolic. */
export function elementCount(shape: Shape): number {
  const size = product(shape);
  if (typeof size === "string") throw new TypeError(`${formatShape(shape)} has symbolic dimensions`);
  return size;
}
