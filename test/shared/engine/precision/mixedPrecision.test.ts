/** Half precision where it is asked for and nowhere else, and steps that survive overflow. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accuracy,
  adamw,
  carryOver,
  chain,
  classifier,
  clipByGlobalNorm,
  crossEntropy,
  encoderInputs,
  gradients,
  initialize,
  input,
  matmul,
  mul,
  type Node,
  parameter,
  reduceSum,
  sgd,
  type Tensor,
  type TrainingStep,
  tinyEncoder,
  toOnnx,
  topologicalOrder,
  trainingStep,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import { type AutocastOptions, autocast, type HalfType } from "../../../../shared/engine/precision/autocast.ts";
import { mixedPrecisionStep } from "../../../../shared/engine/precision/mixedPrecision.ts";
import { createSession } from "../../../../shared/engine/runtime/session.ts";
import { tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { bytesOf, evaluate, numbers, pickFeeds, randomValues, tensor, withSession } from "../run.ts";

/** To the nearest value of 8 significant bits, ties to even. */
function roundToBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0]! += 0x7fff + ((bits[0]! >>> 16) & 1);
  bits[0]! &= 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}
const roundings: Record<HalfType, (value: number) => number> = {
  float16: Math.f16round,
  bfloat16: roundToBfloat16,
};

const config = { ...tinyEncoder, hidden: 32, heads: 2, intermediate: 64, vocabulary: 60, maxPositions: 12, labels: 4 };
const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: input("learning_rate", []) }));

function encoder() {
  const scope = new WeightScope();
  const logits = classifier(scope, encoderInputs(), config);
  const labels = input("labels", ["batch"], "int32");
  const metrics = { accuracy: accuracy(logits, labels) };
  return { scope, options: { loss: crossEntropy(logits, labels), parameters: scope.parameters, optimizer, metrics } };
}

const feeds: Record<string, Tensor> = {
  input_ids: tensor(
    [16, 6],
    Int32Array.from({ length: 96 }, (_, i) => 1 + ((i * 37) % 59)),
  ),
  attention_mask: tensor([16, 6], new Int32Array(96).fill(1)),
  labels: tensor(
    [16],
    Int32Array.from({ length: 16 }, (_, i) => (i * 7) % 4),
  ),
  learning_rate: tensor([], [2e-3]),
};

async function run(step: TrainingStep, weights: Record<string, Tensor>, steps: number) {
  return withSession(toOnnx({ outputs: step.outputs }), async (session) => {
    let carried: Record<string, Tensor> = { ...step.initialState, ...weights };
    const losses: number[] = [];
    let results: Record<string, Tensor> = {};
    for (let i = 0; i < steps; i++) {
      results = await session.run(pickFeeds(session, { ...feeds, ...carried }));
      losses.push(numbers(results.loss)[0]!);
      carried = carryOver(step, results);
    }
    return { losses, results, carried };
  });
}

describe("autocast", () => {
  for (const to of ["float16", "bfloat16"] as const) {
    it(`rounds operands and result of a product to ${to}, and keeps float32 within`, async () => {
      const [a, b] = [input("a", [8, 16]), input("b", [16, 4])];
      const y = matmul(a, b);
      const values = { a: tensor([8, 16], randomValues(128)), b: tensor([16, 4], randomValues(64, { seed: 7 })) };
      const found = numbers((await evaluate({ y: autocast([y], { to, emulate: true }).get(y)! }, values)).y);
      const round = roundings[to];
      for (const [at, value] of found.entries()) {
        const [row, column] = [at >> 2, at & 3];
        const terms = Array.from({ length: 16 }, (_, k) => {
          return round(values.a.data[row * 16 + k] as number) * round(values.b.data[k * 4 + column] as number);
        });
        const exact = terms.reduce((sum, term) => sum + term, 0);
        // One unit in the last place: the float32 sum may lie on the other side of a tie.
        assert.ok(Math.abs(value - round(exact)) <= Math.abs(exact) * (to === "float16" ? 2 ** -10 : 2 ** -7));
        assert.equal(value, round(value));
      }
    });

    it(`leaves ${to} to products and what moves elements, in both passes`, () => {
      const { options } = encoder();
      const found = gradients(options.loss, options.parameters);
      const roots = [options.loss, ...found.values()];
      const became = autocast(roots, { to });
      const nodes = topologicalOrder(roots.map((root) => became.get(root)!));
      const isHalf = ({ type }: Node) => type.dataType === to;
      const computing = new Set(nodes.filter(isHalf).map(({ op }) => op));
      for (const op of ["Cast", "MatMul", "Reshape", "Transpose"]) computing.delete(op);
      assert.deepEqual([...computing], []);
      assert.ok(nodes.filter(({ op }) => op === "MatMul").every(isHalf));
      assert.ok(nodes.filter(({ op }) => /Softmax|Norm|Reduce|Log/.test(op)).every((node) => !isHalf(node)));
      for (const root of roots) assert.deepEqual(became.get(root)!.type, root.type);
    });
  }

  it("of float16 is a model the runtime takes; bfloat16 it multiplies on no CPU", async () => {
    const { options } = encoder();
    const model = (to: HalfType) => toOnnx({ outputs: { loss: autocast([options.loss], { to }).get(options.loss)! } });
    await withSession(model("float16"), async (session) => assert.ok(session.inputNames.length > 0));
    await assert.rejects(createSession(model("bfloat16")), /implementation for MatMul/);
  });
});

describe("a step in mixed precision", () => {
  for (const precision of [
    { to: "float16", emulate: true },
    { to: "bfloat16", emulate: true },
    { to: "float16" },
  ] satisfies AutocastOptions[]) {
    it(`learns as float32 does: ${JSON.stringify(precision)}`, async () => {
      const { scope, options } = encoder();
      const weights = tensorsOf(scope.parameters, initialize(scope.parameters, 17));
      const plain = await run(trainingStep(options), weights, 30);
      const mixed = await run(mixedPrecisionStep({ ...options, precision }), weights, 30);
      assert.equal(numbers(mixed.results.accuracy)[0], 1);
      for (const [i, loss] of mixed.losses.entries()) {
        assert.ok(Math.abs(loss - plain.losses[i]!) < 0.02, `step ${i}: ${loss} against ${plain.losses[i]}`);
      }
      const isRounded = precision.emulate === true;
      assert.equal(mixed.losses[1] !== plain.losses[1], isRounded, "the CPU computes float16 in float32");
    });
  }

  it("keeps gradients that float16 would lose", async () => {
    const [w, x] = [parameter("w", [4, 4]), input("x", [2, 4])];
    const loss = mul(reduceSum(matmul(x, w)), 1e-7);
    const precision: AutocastOptions = { to: "float16", emulate: true };
    const plain = gradients(loss, [w]).get(w)!;
    const step = mixedPrecisionStep({ loss, parameters: [w], precision, optimizer: sgd({ learningRate: one }) });
    const values = { x: tensor([2, 4], randomValues(8, { low: 0.1 })), ...weightOf([0]), ...step.initialState };
    const scaled = step.gradients!.get(w)!;
    const found = await evaluate({ scaled, unscaled: autocast([plain], precision).get(plain)! }, values);
    const exact = numbers((await evaluate({ plain }, values)).plain);
    for (const [i, value] of numbers(found.scaled).entries()) {
      assert.ok(Math.abs(value / exact[i]! - 1) < 2 ** -9, `${value}, not ${exact[i]}`);
    }
    const error = numbers(found.unscaled).map((value, i) => Math.abs(value / exact[i]! - 1));
    assert.ok(Math.max(...error) > 0.1, "without the scale they are lost");
  });

  it("skips what overflows and halves the scale, and doubles it after good steps", async () => {
    const w = parameter("w", [4, 4]);
    const loss = reduceSum(matmul(input("x", [2, 4]), w));
    const step = mixedPrecisionStep({
      ...{ loss, parameters: [w], optimizer: sgd({ learningRate: one, momentum: 0.9 }) },
      precision: { to: "float16", emulate: true },
      scaling: { initialScale: 2 ** 15, growthInterval: 2 },
    });
    const good = tensor([2, 4], randomValues(8, { low: 0.1 }));
    const bad = tensor([2, 4], new Float32Array(8).fill(100));
    await withSession(toOnnx({ outputs: step.outputs }), async (session) => {
      let carried: Record<string, Tensor> = { ...step.initialState, ...weightOf(randomValues(16)) };
      const seen: number[][] = [];
      for (const x of [good, bad, bad, good, good, good]) {
        const before = carried;
        const results = await session.run({ x, learning_rate: tensor([], [0.1]), ...carried });
        carried = carryOver(step, results);
        const skipped = numbers(results.skipped)[0]!;
        for (const name of ["w", "sgd.v:w"]) {
          assert.equal(bytesOf(carried[name]!).equals(bytesOf(before[name]!)), skipped === 1, name);
        }
        seen.push([skipped, numbers(carried.loss_scale)[0]! / 2 ** 15, numbers(carried["loss_scale.good_steps"])[0]!]);
      }
      assert.deepEqual(seen, [
        [0, 1, 1],
        [1, 0.5, 0],
        [1, 0.25, 0],
        [0, 0.25, 1],
        [0, 0.5, 0],
        [0, 0.5, 1],
      ]);
    });
  });
});

const one = input("learning_rate", []);
function weightOf(values: ArrayLike<number>): Record<string, Tensor> {
  return {
    w: tensor(
      [4, 4],
      Float32Array.from({ length: 16 }, (_, i) => values[i % values.length]!),
    ),
  };
}
