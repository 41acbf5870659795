/** Private training: rows apart, each of bounded influence, noise of the right size, and nothing else changed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  batchNorm,
  carryOver,
  crossEntropy,
  dropout,
  embedding,
  gradients,
  initializeLora,
  input,
  linear,
  logSoftmax,
  matmul,
  multipleNegativesRanking,
  type Node,
  neg,
  pick,
  reduceMean,
  reduceSum,
  relu,
  sgd,
  softmax,
  type Tensor,
  toOnnx,
  trainingStep,
  transpose,
  WeightScope,
  withLora,
} from "../../../../shared/engine/index.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import { headParameters } from "../../../../shared/engine/models/trainable.ts";
import { perExampleGradients } from "../../../../shared/engine/privacy/perExample.ts";
import { clippedSumStep, noiseFeeds, noisyStep, type Privacy } from "../../../../shared/engine/privacy/privateStep.ts";
import { secretRandom } from "../../../../shared/engine/privacy/secretRandom.ts";
import { PrivacyError } from "../../../../shared/engine/privacy/separateRows.ts";
import { dataOf, tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { type TinyName, tinyBuilt, tinyModel } from "../models/tinyModels.ts";
import { assertClose, bytesOf, evaluate, numbers, pickFeeds, randomValues, tensor, withSession } from "../run.ts";

const key = new Uint8Array(32).fill(9);
const targets = {
  bert: ["query", "output.dense"],
  llama: ["q_proj", "down_proj"],
  gpt2: ["c_attn", "mlp.c_fc"],
} as const;
const labels = input("labels", ["batch"], "int32");
const [rows, length] = [4, 5];

/** A tiny model with an adapter and a head to train, its rows, and one loss for each of them. */
function problem(name: keyof typeof targets & TinyName) {
  const model = tinyModel(name);
  const request = { head: "sequence", labels: 3 } as const;
  const config = { rank: 3, alpha: 6, dropout: 0, targets: targets[name] };
  const lora = withLora(new WeightScope(), config, { body: model.prefix });
  const { output, scope } = buildModel(model, request, { inputs: textInputs(), scope: lora.scope });
  const parameters = [...lora.adapter.parameters, ...headParameters(model, scope.parameters)];
  const adapter = tensorsOf(lora.adapter.parameters, initializeLora(lora, 3));
  // B starts as zeros, and then A has no gradient.
  for (const [b, { data }] of Object.entries(adapter))
    if (b.includes("lora_B")) data.set(randomValues(data.length) as never);
  const weights: Record<string, Tensor> = { ...tinyBuilt(name, request).weights, ...adapter };
  return { output, parameters, weights, losses: neg(pick(logSoftmax(output), labels)) };
}

const ids = Int32Array.from(randomValues(rows * length, { low: 2, high: 40 }), Math.floor);
const data = {
  input_ids: ids,
  attention_mask: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0),
  labels: Int32Array.of(2, 0, 1, 1),
};

/** Some rows of the data as a batch. */
function batchOf(chosen: readonly number[]): Record<string, Tensor> {
  const take = (values: Int32Array, width: number) =>
    Int32Array.from(chosen.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  return {
    input_ids: tensor([chosen.length, length], take(data.input_ids, length)),
    attention_mask: tensor([chosen.length, length], take(data.attention_mask, length)),
    labels: tensor([chosen.length], take(data.labels, 1)),
  };
}

const all = [...Array(rows).keys()];
const named = (nodes: ReadonlyMap<Node, Node>) =>
  Object.fromEntries([...nodes].map(([{ name }, node]) => [`d:${name}`, node]));

describe("the gradient of each row", () => {
  for (const name of ["bert", "llama", "gpt2"] as const) {
    it(`is that of a run with this row alone, for adapter and head: ${name}`, async () => {
      const { losses, parameters, weights } = problem(name);
      const together = await evaluate(named(perExampleGradients(losses, parameters)), { ...batchOf(all), ...weights });
      const single = toOnnx({ outputs: named(gradients(reduceSum(losses), parameters)) });
      await withSession(single, async (session) => {
        for (const row of all) {
          const alone = await session.run(pickFeeds(session, { ...batchOf([row]), ...weights }));
          for (const [parameter, { shape, data: values }] of Object.entries(together)) {
            const size = values.length / rows;
            assert.deepEqual(shape, [rows, ...alone[parameter]!.shape]);
            assertClose(
              numbers({ shape: [size], data: values.slice(row * size, (row + 1) * size) }),
              numbers(alone[parameter]),
              2e-6,
            );
          }
        }
      });
      assert.ok(Object.values(together).every((gradient) => numbers(gradient).some((value) => Math.abs(value) > 1e-4)));
    });
  }

  it("adds up over all uses of a parameter", async () => {
    const scope = new WeightScope();
    const x = input("x", ["batch", 3]);
    const twice = linear(scope, relu(linear(scope, x, 3, 3)), 3, 3);
    const losses = reduceSum(twice, { axes: [1] });
    const weights = { weight: tensor([3, 3], randomValues(9)), bias: tensor([3], [0.1, 0.2, 0.3]) };
    const feeds = { ...weights, x: tensor([2, 3], randomValues(6, { seed: 4 })) };
    const found = await evaluate(named(perExampleGradients(losses, scope.parameters)), feeds);
    const sums = await evaluate(named(gradients(reduceSum(losses), scope.parameters)), feeds);
    for (const [name, { data: values }] of Object.entries(found)) {
      const half = values.length / 2;
      const added = Array.from({ length: half }, (_, i) => Number(values[i]) + Number(values[half + i]));
      assertClose(added, numbers(sums[name]), 1e-6);
    }
  });
});

type Sums = Record<string, number[]>;

/** The clipped sum over some rows, by parameter. */
async function clippedSum(
  name: keyof typeof targets,
  privacy: Partial<Privacy>,
  batches: readonly number[][],
): Promise<Sums> {
  const { losses, parameters, weights } = problem(name);
  const step = clippedSumStep({
    losses,
    parameters,
    privacy: { clipNorm: 1, noiseMultiplier: 0, expectedBatch: 1, ...privacy },
  });
  return withSession(toOnnx({ outputs: step.outputs }), async (session) => {
    let carried: Record<string, Tensor> = step.initialState;
    for (const batch of batches) {
      carried = carryOver(step, await session.run(pickFeeds(session, { ...weights, ...batchOf(batch), ...carried })));
    }
    const sums = Object.entries(carried).filter(([sum]) => sum !== "clipped.loss");
    return Object.fromEntries(sums.map(([sum, value]) => [sum, numbers(value)]));
  });
}

const flat = (sums: Sums) => Object.values(sums).flat();
const normOf = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

describe("one row's influence on the sum", () => {
  it("is never more than the clip norm, over all parameters together, and reaches it", async () => {
    const clipNorm = 0.05;
    const whole = flat(await clippedSum("bert", { clipNorm }, [all]));
    const alone = flat(await clippedSum("bert", { clipNorm: Infinity }, [[0]]));
    assert.ok(normOf(alone) > 10 * clipNorm, "the row is clipped");
    for (const row of all) {
      const without = flat(await clippedSum("bert", { clipNorm }, [all.filter((other) => other !== row)]));
      const influence = normOf(whole.map((value, i) => value - without[i]!));
      assert.ok(Math.abs(influence - clipNorm) < 1e-5 * clipNorm, `row ${row} has influence ${influence}`);
    }
  });

  it("keeps its direction, and is whole where it is small", async () => {
    const [clipped, free] = await Promise.all(
      [0.05, Infinity].map((clipNorm) => clippedSum("llama", { clipNorm }, [[2]])),
    );
    const scale = 0.05 / normOf(flat(free!));
    assertClose(
      flat(clipped!),
      flat(free!).map((value) => value * scale),
      1e-6,
    );
    assert.deepEqual(flat(await clippedSum("llama", { clipNorm: 1e4 }, [[2]])), flat(free!));
  });

  it("is the same in one batch as in several", async () => {
    const [one, several] = await Promise.all(
      [[all], [[0], [1, 2], [3]]].map((batches) => clippedSum("gpt2", { clipNorm: 0.3 }, batches)),
    );
    assertClose(flat(one!), flat(several!), 1e-6);
  });

  it("is nothing for a row that only fills the batch up", async () => {
    const { losses, parameters, weights } = problem("bert");
    const privacy = { clipNorm: 0.3, noiseMultiplier: 0, expectedBatch: 1 };
    const step = clippedSumStep({ losses, parameters, privacy, counted: input("counted", ["batch"]) });
    const feeds = { ...weights, ...batchOf(all), ...step.initialState, counted: tensor([rows], [1, 0, 1, 0]) };
    const found = await evaluate(step.outputs as Record<string, Node>, feeds);
    const expected = await clippedSum("bert", { clipNorm: 0.3 }, [[0, 2]]);
    for (const [sum, values] of Object.entries(expected)) assertClose(numbers(found[`new:${sum}`]), values, 1e-6);
  });
});

describe("a noisy step", () => {
  const optimizer = sgd({ learningRate: input("learning_rate", []) });
  const rate = { learning_rate: tensor([], [0.5]) };

  it("without clipping and noise is the plain step", async () => {
    const { losses, output, parameters, weights } = problem("bert");
    const plain = trainingStep({ loss: crossEntropy(output, labels), parameters, optimizer });
    const expected = await evaluate(plain.outputs as Record<string, Node>, { ...weights, ...batchOf(all), ...rate });
    const privacy = { clipNorm: Infinity, noiseMultiplier: 0, expectedBatch: rows };
    const [sum, step] = [
      clippedSumStep({ losses, parameters, privacy }),
      noisyStep({ parameters, optimizer, privacy }),
    ];
    const sums = await evaluate(sum.outputs as Record<string, Node>, {
      ...weights,
      ...batchOf(all),
      ...sum.initialState,
    });
    const found = await evaluate(step.outputs as Record<string, Node>, {
      ...weights,
      ...carryOver(sum, sums),
      ...rate,
    });
    assertClose(numbers(found.loss), numbers(expected.loss), 1e-6);
    for (const { name } of parameters)
      assertClose(numbers(found[`new:${name}`]), numbers(expected[`new:${name}`]), 1e-6);
    assert.ok(numbers(found["new:clipped:classifier.weight"]).every((value) => value === 0));
  });

  const w = tensor([400, 50], new Float32Array(20_000));
  const parameters = (() => {
    const scope = new WeightScope();
    linear(scope, input("x", ["batch", 50]), 50, 400, { bias: false });
    return scope.parameters;
  })();
  const privacy = { clipNorm: 0.4, noiseMultiplier: 1.5, expectedBatch: 8 };
  const step = noisyStep({ parameters, optimizer, privacy });

  /** What an empty batch does to zeros, over the rate. */
  async function noiseAlone(random = secretRandom(key)): Promise<number[]> {
    const feeds = { weight: w, ...step.initialState, ...rate, ...noiseFeeds(parameters, random) };
    const found = await evaluate(step.outputs as Record<string, Node>, feeds);
    return numbers(found["new:weight"]).map((value) => value / -0.5);
  }

  it("of an empty batch moves by noise alone, of deviation multiplier x clip norm over the expected batch", async () => {
    const found = await noiseAlone();
    const [mean, deviation] = [
      found.reduce((sum, value) => sum + value, 0) / found.length,
      normOf(found) / Math.sqrt(found.length),
    ];
    const expected = (1.5 * 0.4) / 8;
    assert.ok(Math.abs(deviation / expected - 1) < 4 / Math.sqrt(2 * found.length), `deviation ${deviation}`);
    assert.ok(Math.abs(mean) < (4 * expected) / Math.sqrt(found.length), `mean ${mean}`);
    assert.deepEqual(found, await noiseAlone(), "a key repeats it");
    assert.notDeepEqual(found, await noiseAlone(secretRandom()), "without one, it is new");
  });

  it("divides by the expected batch, however many rows there were", async () => {
    const quiet = { ...privacy, noiseMultiplier: 0 };
    const found = await evaluate(noisyStep({ parameters, optimizer, privacy: quiet }).outputs as Record<string, Node>, {
      weight: w,
      ...step.initialState,
      "clipped:weight": tensor([400, 50], new Float32Array(20_000).fill(2)),
      ...rate,
    });
    assert.deepEqual(new Set(numbers(found["new:weight"])), new Set([(-0.5 * 2) / 8]));
  });

  it("is refused with numbers that give no privacy, by name", () => {
    const refused = (change: Partial<Privacy>) => () =>
      noisyStep({ parameters, optimizer, privacy: { ...privacy, ...change } });
    assert.throws(refused({ clipNorm: Infinity }), /clipNorm must be finite|must be finite/);
    assert.throws(refused({ clipNorm: 0 }), /clipNorm must be more than 0, not 0/);
    assert.throws(refused({ noiseMultiplier: -1 }), /noiseMultiplier \(-1\)/);
    assert.throws(refused({ expectedBatch: 0 }), /expectedBatch must be a positive number, not 0/);
  });
});

describe("what cannot be clipped row by row is refused, by name", () => {
  const scope = new WeightScope();
  const x = input("x", ["batch", 3]);
  const y = linear(scope, x, 3, 2);
  const perRow = (node: Node) => reduceSum(node, { axes: [1] });
  const refuses = (losses: Node, message: RegExp, parameters = scope.parameters) =>
    assert.throws(
      () => perExampleGradients(losses, parameters),
      (error) => error instanceof PrivacyError && message.test(error.message),
    );

  it("as rows that depend on each other", () => {
    refuses(
      perRow(batchNorm(new WeightScope(), y, { training: new Map() })),
      /Reduce\w+ .* may mix the rows of a batch \("batch"\)/,
    );
    refuses(perRow(add(y, reduceMean(y, { axes: [0], keepDims: true }))), /ReduceMean/);
    refuses(perRow(matmul(softmax(matmul(y, transpose(y, [1, 0]))), y)), /MatMul float32\[batch, batch\]/);
    refuses(perRow(transpose(softmax(transpose(y, [1, 0])), [1, 0])), /Softmax/);
    assert.throws(
      () => perExampleGradients(multipleNegativesRanking(y, y, 1), scope.parameters),
      /vector of a symbolic length/,
    );
  });

  it("but not dropout, whose masks no row chooses", () => {
    const noise = { rate: 0.2, seed: input("seed", [], "uint32") };
    const names = perExampleGradients(perRow(dropout(y, "here", noise)), scope.parameters).keys();
    assert.deepEqual([...names], scope.parameters);
  });

  it("as parameters of other layers than linear ones", () => {
    const table = new WeightScope();
    const states = embedding(table, input("ids", ["batch"], "int32"), 5, 3);
    refuses(
      perRow(linear(scope, states, 3, 2)),
      /Parameter "weight" .* has no gradient by row where Gather/,
      table.parameters,
    );
    refuses(perRow(y), /do not depend on Parameter "weight" float32\[5, 3\]/, table.parameters);
  });
});

it("private training repeats bit for bit under a key", async () => {
  const { losses, parameters, weights } = problem("bert");
  const privacy = { clipNorm: 0.5, noiseMultiplier: 0.8, expectedBatch: 3 };
  const optimizer = sgd({ learningRate: input("learning_rate", []) });
  const [sum, step] = [clippedSumStep({ losses, parameters, privacy }), noisyStep({ parameters, optimizer, privacy })];
  const frozen = dataOf(weights, (name) => !parameters.some((parameter) => parameter.name === name));
  const once = () =>
    withSession(toOnnx({ outputs: sum.outputs, initializers: frozen }), (summing) =>
      withSession(toOnnx({ outputs: step.outputs }), async (moving) => {
        const random = secretRandom(key);
        let carried: Record<string, Tensor> = { ...weights, ...step.initialState };
        for (const batch of [[0, 1], [3], [1, 2, 3]]) {
          const sums = carryOver(sum, await summing.run(pickFeeds(summing, { ...carried, ...batchOf(batch) })));
          const fed = { ...carried, ...sums, ...noiseFeeds(parameters, random), learning_rate: tensor([], [0.1]) };
          carried = { ...carried, ...carryOver(step, await moving.run(pickFeeds(moving, fed))) };
        }
        return Buffer.concat(parameters.map(({ name }) => bytesOf(carried[name!]!)));
      }),
    );
  assert.ok((await once()).equals(await once()));
});
