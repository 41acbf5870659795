/** Every op's gradient against finite differences of its own forward pass, in float32, on ONNX Runtime. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { input, type Node, type OpType, toOnnx } from "../../../shared/engine/index.ts";
import { tolerance, worstError } from "./finiteDifferences.ts";
import { cases } from "./gradientCases.ts";
import { composed } from "./gradientCasesComposed.ts";
import type { Variant } from "./gradientVariants.ts";
import { numbers, withSession } from "./run.ts";

describe("the gradient of each op agrees with finite differences", () => {
  for (const [op, found] of Object.entries(cases) as [OpType, (typeof cases)[OpType]][]) {
    if (!Array.isArray(found)) continue;
    it(op, async () => {
      for (const [i, variant] of found.entries()) {
        assert.ok(uses(variant, op), `variant ${i} does not use ${op}`);
        const error = await worstError(variant);
        assert.ok(error < tolerance, `variant ${i} (${JSON.stringify(variant.operands)}) is off by ${error}`);
      }
    });
  }
});

describe("the gradient of each function made of ops agrees with finite differences", () => {
  for (const [name, variants] of Object.entries(composed)) {
    it(name, async () => {
      for (const [i, variant] of variants.entries()) {
        const error = await worstError(variant);
        assert.ok(error < tolerance, `variant ${i} (${JSON.stringify(variant.operands)}) is off by ${error}`);
      }
    });
  }
});

describe("each op without a gradient computes what it says", () => {
  for (const [op, found] of Object.entries(cases)) {
    if (Array.isArray(found)) continue;
    it(op, async () => {
      const y = found.build();
      assert.equal(y.op, op);
      const model = toOnnx({ outputs: { y }, domains: found.domains ?? [] });
      const results = await withSession(model, (session) => session.run({}));
      assert.deepEqual(numbers(results.y), found.expected);
    });
  }
});

function uses({ operands, build }: Variant, op: OpType): boolean {
  const nodes = Object.fromEntries(Object.entries(operands).map(([name, shape]) => [name, input(name, shape)]));
  const contains = (node: Node): boolean => node.op === op || node.inputs.some(contains);
  return contains(build(nodes));
}
