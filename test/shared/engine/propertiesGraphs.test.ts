/** What holds for every graph: its gradient is that of its differences, and export can be undone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  adamw,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  GradientError,
  gradients,
  input,
  max,
  min,
  type Node,
  reduceSum,
  slice,
  square,
  type Tensor,
  toOnnx,
  topologicalOrder,
  trainingStep,
  transpose,
} from "../../../shared/engine/index.ts";
import { tinyBuilt } from "./models/tinyModels.ts";
import { elements, graphOf, type Instruction, opNames, type RandomGraph, recipes, sizes } from "./randomGraphs.ts";
import { readOnnx } from "./readOnnx.ts";
import { evaluate, numbers, pickFeeds, randomValues, tensor, withSession } from "./run.ts";

const seeded = { seed: 20240711 };

/** The leaves to which a gradient flows; a condition passes none on. */
function reached({ leaves, loss }: RandomGraph): Map<Node, Node> {
  const found = new Map<Node, Node>();
  const under = new Set(topologicalOrder([loss]));
  for (const leaf of leaves.filter((node) => under.has(node))) {
    try {
      found.set(leaf, gradients(loss, [leaf]).get(leaf)!);
    } catch (error) {
      if (!(error instanceof GradientError)) throw error;
    }
  }
  // All together, so that what they share is built once, as in training.
  return found.size === 0 ? found : gradients(loss, [...found.keys()]);
}

function feedsOf(leaves: readonly Node[]): Record<string, Tensor> {
  return Object.fromEntries(
    leaves.map(({ name, type }, i) => {
      const shape = type.shape.map((dim) => (typeof dim === "number" ? dim : sizes[dim]!));
      return [name!, { shape, data: Float64Array.from(randomValues(elements(shape), { seed: 31 + i })) }];
    }),
  );
}

// In float64, central differences at this distance err by some 1e-10, and where values are large by their rounding.
const h = 1e-5;
const tolerance = 1e-6;

async function worstError(graph: RandomGraph): Promise<number> {
  const found = reached(graph);
  const outputs = Object.fromEntries([...found].map(([{ name }, gradient]) => [`d:${name}`, gradient]));
  const feeds = feedsOf(graph.leaves);
  return withSession(toOnnx({ outputs: { loss: graph.loss, ...outputs } }), async (session) => {
    const run = () => session.run(pickFeeds(session, feeds));
    const exact = await run();
    const scale = Math.max(1, Math.abs(numbers(exact.loss)[0]!));
    let worst = 0;
    for (const { name } of found.keys()) {
      const { data } = feeds[name!]!;
      for (const [i, expected] of numbers(exact[`d:${name}`]).entries()) {
        const centre = data[i]!;
        const at = async (value: number) => {
          data[i] = value;
          return numbers((await run()).loss)[0]!;
        };
        const numeric = ((await at(Number(centre) + h)) - (await at(Number(centre) - h))) / (2 * h);
        data[i] = centre;
        const error = Math.abs(numeric - expected) / Math.max(scale, Math.abs(numeric));
        worst = Number.isNaN(error) ? Number.NaN : Math.max(worst, error);
      }
    }
    return worst;
  });
}

describe("a randomly composed graph", () => {
  it("has the gradient of its differences", async () => {
    const used = new Set<string>();
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const graph = graphOf(recipe);
        for (const op of graph.used) used.add(op);
        const error = await worstError(graph);
        assert.ok(error < tolerance, `off by ${error}`);
      }),
      { ...seeded, numRuns: 120 },
    );
    assert.deepEqual(
      opNames.filter((op) => !used.has(op)),
      [],
      "ops that were not tried",
    );
  });

  it("with its gradient is the same bytes when it is made and exported again, and when its export is read and exported", () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const first = exported(recipe);
        assert.ok(Buffer.from(first).equals(exported(recipe)));
        assert.ok(Buffer.from(first).equals(reexported(first, (name) => ["w", "v", "s"].includes(name))));
      }),
      { ...seeded, numRuns: 200 },
    );
  });
});

it("a slice between transpositions has its gradient, though the runtime moves transpositions past what pads it", async () => {
  // Found by the property above: the runtime's optimizer misreads pads that are given for some axes only.
  const x = input("x", ["batch", 3, 2]);
  const turned = transpose(square(x), [2, 1, 0]);
  const y = transpose(slice(turned, { axis: 1, end: 1 }), [2, 1, 0]);
  const gradient = gradients(reduceSum(y), [x]).get(x)!;
  const found = await evaluate({ gradient }, { x: tensor([1, 3, 2], [1, 2, 3, 4, 5, 6]) });
  assert.deepEqual(numbers(found.gradient), [2, 4, 0, 0, 0, 0]);
});

it("a value that meets itself in a maximum has its own gradient", async () => {
  const x = input("x", [2]);
  const gradient = gradients(reduceSum(max(x, min(x, x))), [x]).get(x)!;
  assert.deepEqual(numbers((await evaluate({ gradient }, { x: tensor([2], [3, -4]) })).gradient), [1, 1]);
});

function exported(recipe: readonly Instruction[]): Uint8Array {
  const graph = graphOf(recipe, "float32");
  const found = [...reached(graph)].map(([{ name }, gradient]) => [`d:${name}`, gradient] as const);
  return toOnnx({ outputs: { loss: graph.loss, again: graph.loss, ...Object.fromEntries(found) } });
}

const reexported = (model: Uint8Array, isParameter: (name: string) => boolean) => toOnnx(readOnnx(model, isParameter));

describe("the training step of a model", () => {
  for (const name of ["bert", "gpt2", "llama"] as const) {
    it(`is the same bytes when its export is read and exported: ${name}`, () => {
      const { output, scope, weights } = tinyBuilt(name, { head: "sequence", labels: 3 });
      const { parameters } = scope;
      const step = trainingStep({
        loss: crossEntropy(output, input("labels", ["batch"], "int32")),
        parameters: parameters.slice(-4),
        optimizer: chain(clipByGlobalNorm(1), adamw({ learningRate: input("learning_rate", []) })),
      });
      const frozen = parameters.slice(0, -4).map((parameter) => [parameter.name!, weights[parameter.name!]!.data]);
      const model = toOnnx({ outputs: step.outputs, initializers: Object.fromEntries(frozen) });
      const carried = new Set([...parameters, ...step.carried.map(({ before }) => before)].map((leaf) => leaf.name!));
      assert.ok(Buffer.from(model).equals(reexported(model, (leaf) => carried.has(leaf))));
    });
  }
});
