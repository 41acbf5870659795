/** What attention moves in memory: transpositions that no product can take in, forward and backward. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  gradients,
  input,
  multiHeadAttention,
  type Node,
  reduceSum,
  topologicalOrder,
  WeightScope,
} from "../../../shared/engine/index.ts";

const config = { hidden: 12, heads: 3, intermediate: 8 };

/** Transpositions of more than the last two axes, which no product reads its operand through. */
function copies(roots: readonly Node[]): number {
  return topologicalOrder(roots).filter(({ op, attributes, type }) => {
    const leading = type.shape.length - 2;
    return op === "Transpose" && (attributes.perm as readonly number[]).some((axis, at) => at < leading && axis !== at);
  }).length;
}

describe("multi-head attention", () => {
  const x = input("x", ["batch", "sequence", config.hidden]);
  const mask = input("mask", ["batch", 1, 1, "sequence"]);
  const scope = new WeightScope();
  const loss = reduceSum(multiHeadAttention(scope, x, config, { mask }));

  test("splits query, key and value into heads and joins the result, once each", () => {
    assert.equal(copies([loss]), 4);
  });

  test("moves nothing else in the backward pass but the gradients of these four", () => {
    const found = gradients(loss, [x, ...scope.parameters]);
    assert.equal(copies([loss, ...found.values()]), 8);
  });
});
