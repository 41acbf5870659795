/** The finite-difference check: a graph's gradients against differences of its own forward pass, in float32. */
import assert from "node:assert/strict";
import { gradients, input, mul, reduceSum, type Shape, toOnnx } from "../../../shared/engine/index.ts";
import type { Variant } from "./gradientVariants.ts";
import { numbers, pickFeeds, randomValues, tensor, withSession } from "./run.ts";

const usualSizes: Record<string, number> = {
  batch: 2,
  "batch+1": 3,
  "batch*sequence": 6,
  "batch+sequence": 5,
  sequence: 3,
  "sequence-1": 2,
  rows: 2,
  samples: 7,
  "(samples)/3": 3,
  "(samples-1)/2": 3,
  "(samples-1)/3": 2,
  "(samples-2)/2": 3,
};

// Central differences err by h^2/6 f''' and by float32 rounding over h; at this h both stay near 1e-5.
const h = 1e-2;
export const tolerance = 1e-3;

/** The worst disagreement, relative where the gradient exceeds 1. */
export async function worstError({ operands, build, feeds: fixed = {}, values = {}, sizes }: Variant): Promise<number> {
  const known = { ...usualSizes, ...sizes };
  const bind = (shape: Shape) => shape.map((dim) => (typeof dim === "number" ? dim : known[dim]!));
  const count = (shape: Shape) => bind(shape).reduce((total, dim) => total * dim, 1);
  const nodes = Object.fromEntries(Object.entries(operands).map(([name, shape]) => [name, input(name, shape)]));
  const y = build(nodes);
  // A random projection: errors of different elements cannot cancel, as they could in a plain sum.
  const projection = input("projection", y.type.shape);
  const found = gradients(reduceSum(mul(y, projection)), Object.values(nodes));
  for (const [node, gradient] of found) assert.deepEqual(gradient.type, node.type);
  const outputs = {
    y,
    ...Object.fromEntries(Object.entries(nodes).map(([name, node]) => [`d:${name}`, found.get(node)!])),
  };
  const weights = randomValues(count(y.type.shape), { seed: 99 });
  const feeds = Object.fromEntries(
    Object.entries(operands).map(([name, shape], i) => {
      return [name, tensor(bind(shape), values[name]?.slice() ?? randomValues(count(shape), { seed: i + 1 }))];
    }),
  );
  return withSession(toOnnx({ outputs }), async (session) => {
    const run = () =>
      session.run(pickFeeds(session, { ...feeds, ...fixed, projection: tensor(bind(y.type.shape), weights) }));
    const loss = async () => numbers((await run()).y).reduce((sum, value, i) => sum + value * weights[i]!, 0);
    const exact = await run();
    let worst = 0;
    for (const [name, { data }] of Object.entries(feeds)) {
      const analytic = numbers(exact[`d:${name}`]);
      assert.equal(analytic.length, data.length);
      for (let i = 0; i < data.length; i++) {
        const centre = data[i] as number;
        data[i] = centre + h;
        const [above, high] = [data[i] as number, await loss()];
        data[i] = centre - h;
        const [below, low] = [data[i] as number, await loss()];
        data[i] = centre;
        const numeric = (high - low) / (above - below);
        const error = Math.abs(numeric - analytic[i]!) / Math.max(1, Math.abs(numeric));
        worst = Number.isNaN(error) ? Number.NaN : Math.max(worst, error);
      }
    }
    return worst;
  });
}
