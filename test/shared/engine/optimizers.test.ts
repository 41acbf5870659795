/** Optimizers on ONNX Runtime against the same arithmetic in plain JavaScript and float64. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  adamw,
  chain,
  clipByGlobalNorm,
  input,
  reduceSum,
  schedule,
  sgd,
  square,
  trainingStep,
} from "../../../shared/engine/index.ts";
import {
  b,
  close,
  learningRate,
  loss,
  rates,
  reference,
  sumOf,
  total,
  train,
  type Weights,
  w,
} from "./knownProblem.ts";
import { tensor } from "./run.ts";

function referenceAdam(weightDecay: number, clip?: (grads: Weights) => number): Weights {
  const m: Record<string, number> = {};
  const v: Record<string, number> = {};
  return reference((name, i, x, g, t) => {
    const key = `${name}${i}`;
    m[key] = 0.9 * (m[key] ?? 0) + 0.1 * g;
    v[key] = 0.999 * (v[key] ?? 0) + 0.001 * g * g;
    const step = m[key] / (1 - 0.9 ** (t + 1)) / (Math.sqrt(v[key] / (1 - 0.999 ** (t + 1))) + 1e-8);
    // Only the matrix decays.
    return x - rates[t]! * (step + (name === "w" ? weightDecay * x : 0));
  }, clip);
}

const normOf = ({ w: a, b: c }: Weights) => Math.sqrt([...a, ...c].reduce((sum, g) => sum + g * g, 0));

describe("twenty steps agree with float64 arithmetic", () => {
  it("of AdamW, whose weight decay spares biases", async () => {
    close(await train(adamw({ learningRate, weightDecay: 0.1 })), referenceAdam(0.1), 2e-6);
  });

  it("of AdamW behind clipping by the global norm", async () => {
    const found = await train(chain(clipByGlobalNorm(0.5), adamw({ learningRate, weightDecay: 0 })));
    close(
      found,
      referenceAdam(0, (grads) => Math.min(1, 0.5 / normOf(grads))),
      2e-6,
    );
    assert.ok(found.norms[0]! > 0.5, "the metric is the norm before clipping");
  });

  it("of plain gradient descent", async () => {
    close(
      await train(sgd({ learningRate })),
      reference((_name, _i, x, g, t) => x - rates[t]! * g),
      2e-6,
    );
  });

  it("of gradient descent with momentum", async () => {
    const v: Record<string, number> = {};
    const expected = reference((name, i, x, g, t) => {
      const key = `${name}${i}`;
      v[key] = 0.8 * (v[key] ?? 0) + g;
      return x - rates[t]! * v[key];
    });
    close(await train(sgd({ learningRate, momentum: 0.8 })), expected, 5e-6);
  });
});

describe("clipping by the global norm", () => {
  it("leaves gradients alone that are small enough", async () => {
    const clipped = await train(chain(clipByGlobalNorm(1e6), sgd({ learningRate })));
    const plain = await train(sgd({ learningRate }));
    assert.deepEqual([clipped.w, clipped.b], [plain.w, plain.b]);
  });
});

describe("a learning-rate schedule", () => {
  const options = { learningRate: 0.4, warmupSteps: 4, totalSteps: 12 };
  it("rises in a line, then stays, falls in a line, or falls along a cosine", () => {
    const at = (name: "constant" | "linear" | "cosine", step: number) => schedule(name, options)(step);
    for (const name of ["constant", "linear", "cosine"] as const) {
      assert.deepEqual(
        [0, 1, 3, 4].map((step) => at(name, step)),
        [0.1, 0.2, 0.4, 0.4],
      );
    }
    assert.equal(at("constant", 100), 0.4);
    assert.deepEqual(
      [6, 8, 12, 20].map((step) => at("linear", step)),
      [0.30000000000000004, 0.2, 0, 0],
    );
    assert.ok(Math.abs(at("cosine", 6) - 0.2 * (1 + Math.SQRT1_2)) < 1e-12);
    assert.deepEqual(
      [8, 12, 20].map((step) => Math.round(at("cosine", step) * 1e9) / 1e9),
      [0.2, 0, 0],
    );
  });

  it("needs no warm-up, and refuses one longer than the training", () => {
    assert.equal(schedule("linear", { learningRate: 1, totalSteps: 10 })(0), 1);
    assert.throws(() => schedule("cosine", { ...options, warmupSteps: 13 }), RangeError);
  });
});

describe("a training step", () => {
  it("refuses to train what is not a parameter", () => {
    const x = input("x", [2]);
    assert.throws(
      () => trainingStep({ loss: reduceSum(square(x)), parameters: [x], optimizer: sgd({ learningRate }) }),
      /not Input "x"/,
    );
  });

  it("names what it carries, so that a checkpoint is weights and state by name", () => {
    const step = trainingStep({ loss: sumOf(loss, total), parameters: [w, b], optimizer: adamw({ learningRate }) });
    assert.deepEqual(
      step.carried.map(({ name }) => name),
      ["w", "b", "adamw.step", "adamw.m:w", "adamw.m:b", "adamw.v:w", "adamw.v:b"],
    );
    assert.deepEqual(Object.keys(step.outputs).slice(0, 2), ["loss", "new:w"]);
    assert.deepEqual(step.initialState["adamw.m:b"], tensor([3], [0, 0, 0]));
  });
});
