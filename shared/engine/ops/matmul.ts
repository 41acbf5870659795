/** Matrix multiplication over the last two axes, the others broadcasting. */
import { defineOp } from "../defineOp.ts";
import type { Node } from "../graph.ts";
import { broadcastShapes, product } from "../shape.ts";
import { reshape, transpose } from "./layout.ts";

export const matrix = {
  MatMul: defineOp<2>("MatMul", {
    infer: ([a, b], _attributes, fail) => {
      if (a.shape.length < 2 || b.shape.length < 2) throw fail("operands need two axes or more");
      if (a.dataType !== b.dataType) throw fail(`data types differ: ${a.dataType} and ${b.dataType}`);
      if (a.shape.at(-1) !== b.shape.at(-2)) throw fail("inner dimensions differ");
      const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
      if (!batch) throw fail("batch dimensions do not broadcast");
      return { shape: [...batch, a.shape.at(-2)!, b.shape.at(-1)!], dataType: a.dataType };
    },
    // d(AB)/dA = dY B^T, d(AB)/dB = A^T dY
    gradient: ({ inputs: [a, b], dy }) => [matmul(dy, swapLast(b)), rightGradient(a, b, dy)],
  }),
};

// A matrix shared by a whole batch gets its gradient from one tall product: summing one product per row of the batch
// costs memory for all of them.
function rightGradient(a: Node, b: Node, dy: Node): Node {
  const shared = b.type.shape.length === 2 && a.type.shape.length > 2;
  const [left, right] = shared ? [rows(a), rows(dy)] : [a, dy];
  // (A^T dY)^T = dY^T A: of a matrix stored as its transpose, the gradient comes out as it is stored.
  return isSwapped(b) ? swapLast(matmul(swapLast(right), left)) : matmul(swapLast(left), right);
}

function isSwapped({ op, attributes, type }: Node): boolean {
  return op === "Transpose" && (attributes.perm as readonly number[]).at(-1) !== type.shape.length - 1;
}

function rows(x: Node): Node {
  return reshape(x, [product(x.type.shape.slice(0, -1)), x.type.shape.at(-1)!]);
}

export function matmul(a: Node, b: Node): Node {
  return matrix.MatMul([a, b], {});
}

/** x with its last two axes exchanged. */
export function swapLast(x: Node): Node {
  const axes = [...x.type.shape.keys()];
  return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}
