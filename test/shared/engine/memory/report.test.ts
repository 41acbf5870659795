/** Memory told beforehand: by hand for a small graph, against the resident set for real ones, and what follows from it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accumulationStep,
  adamw,
  input,
  matmul,
  parameter,
  reduceMean,
  square,
  tanh,
  trainingStep,
} from "../../../../shared/engine/index.ts";
import { peakOf } from "../../../../shared/engine/memory/liveness.ts";
import { MemoryError, planMicroBatch } from "../../../../shared/engine/memory/plan.ts";
import { describeReport, memoryReport } from "../../../../shared/engine/memory/report.ts";
import { measurePeak } from "./measured.ts";

const x = input("x", ["batch", 256]);
const w = parameter("w", [256, 512]);
const optimizer = adamw({ learningRate: input("learning_rate", []) });
const options = { loss: reduceMean(square(tanh(matmul(x, w)))), parameters: [w], optimizer };
const mebi = 2 ** 20;

describe("the peak of a graph", () => {
  it("counts what lives at once, and an operand that is overwritten once", () => {
    const product = matmul(x, w);
    const bytes = 10 * 512 * 4;
    assert.equal(peakOf([tanh(product)], { batch: 10 }).bytes, bytes);
    assert.equal(peakOf([tanh(product), product], { batch: 10 }).bytes, 2 * bytes);
    assert.throws(() => peakOf([product], {}), /dimension "batch" of MatMul float32\[batch, 512\] has no size/);
  });

  it("grows with the batch", () => {
    const at = (batch: number) => memoryReport(trainingStep(options), { batch }).groups.activations;
    assert.ok(at(4000) > 1.9 * at(2000));
  });
});

describe("a report", () => {
  it("tells weights from optimizer state and inputs, to the byte", () => {
    const { groups } = memoryReport(trainingStep(options), { batch: 8 });
    const weight = 256 * 512 * 4;
    assert.equal(groups.parameters, weight);
    assert.equal(groups.optimizer, 2 * weight + 4);
    assert.equal(groups.inputs, 8 * 256 * 4 + 4);
    assert.equal(groups.frozen, 0);
  });

  it("counts what is not trained as frozen, in the forms a session keeps, and more while it loads", () => {
    const base = parameter("base", [512, 512]);
    const loss = reduceMean(square(matmul(matmul(x, w), base)));
    const { groups, loading } = memoryReport(trainingStep({ ...options, loss }), { batch: 8 });
    assert.ok(groups.frozen > 2 * 512 * 512 * 4 && loading > groups.frozen);
  });

  it("names its groups, the largest first, with the sizes they are for", () => {
    const said = describeReport(memoryReport(trainingStep(options), { batch: 100_000 }));
    assert.match(said, /^[\d,]+ MiB at batch 100000: activations [\d,]+ MiB, /);
  });

  const requests = [
    { model: "encoder", batch: 2, sequence: 256, steps: 2 },
    { model: "llama", batch: 1, sequence: 192, steps: 4 },
    { model: "resnet", batch: 96, sequence: 0, steps: 2 },
  ] as const;
  for (const request of requests) {
    it(`comes within a quarter of what a process takes: ${request.model}`, async () => {
      const { predicted, measured } = await measurePeak(request);
      const ratio = predicted / measured;
      assert.ok(ratio > 0.75 && ratio < 1.25, `${predicted / mebi} MiB told, ${measured / mebi} MiB taken`);
    });
  }
});

describe("a micro-batch", () => {
  const plan = (limit: number, rows = 4096) =>
    planMicroBatch({ step: options, rows, bindings: {}, limit, overhead: 0 });
  const whole = memoryReport(trainingStep(options), { batch: 4096 }).total;

  it("is the batch where that fits", () => {
    assert.deepEqual({ ...plan(whole), report: undefined }, { rows: 4096, count: 1, report: undefined });
  });

  it("is as large as fits, and as even as may be", () => {
    const { rows, count, report } = plan(whole / 2);
    assert.ok(count > 1 && rows * count >= 4096 && rows * (count - 1) < 4096, `${count} of ${rows}`);
    assert.ok(report.total <= whole / 2);
    const larger = Math.ceil(4096 / (count - 1));
    assert.ok(memoryReport(accumulationStep(options), { batch: larger }).total > whole / 2 - 2 * 256 * 512 * 4);
  });

  it("is refused where one row is too much, saying what needs how much of which limit", () => {
    const refusal = /^one row at a time needs \d+ MiB of 2 MiB: the process 0 MiB, and \d+ MiB at batch 1: .*optimizer/;
    assert.throws(
      () => plan(2 * mebi),
      (error) => error instanceof MemoryError && refusal.test(error.message),
    );
  });

  it("counts the optimizer's state, which waits while gradients are added up", () => {
    const { groups } = plan(whole / 2).report;
    const [accumulated, waiting] = [256 * 512 * 4 + 8, 2 * 256 * 512 * 4 + 4];
    assert.ok(groups.optimizer >= accumulated + waiting, `${groups.optimizer} bytes`);
  });

  it("is refused where the frozen weights alone are too much to load", () => {
    const base = parameter("base", [512, 65536]);
    const step = { ...options, loss: reduceMean(matmul(matmul(x, w), base)) };
    const ask = () => planMicroBatch({ step, rows: 8, bindings: {}, limit: 512 * mebi, overhead: 0 });
    assert.throws(ask, /loading its frozen weights takes 615 MiB/);
  });
});
