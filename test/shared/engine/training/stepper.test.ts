/** A batch cut into micro-batches because memory is short trains as the whole batch does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { input, type Tensor, trainingStep } from "../../../../shared/engine/index.ts";
import { initialize } from "../../../../shared/engine/layers/initialize.ts";
import { accuracy, crossEntropy } from "../../../../shared/engine/layers/losses.ts";
import { MemoryError } from "../../../../shared/engine/memory/plan.ts";
import { memoryReport, runtimeBytes } from "../../../../shared/engine/memory/report.ts";
import { encoderForward } from "../../../../shared/engine/models/encoderClassifier.ts";
import { adamw } from "../../../../shared/engine/optimizers/adamw.ts";
import { createStepper } from "../../../../shared/engine/training/stepper.ts";
import { padBatch } from "../../../../shared/engine/training/textBatches.ts";
import { tensorsOf } from "../../../../shared/engine/weights/tensors.ts";

const { logits, parameters } = encoderForward(3);
const labels = input("labels", ["batch"], "int32");
const step = {
  loss: crossEntropy(logits, labels),
  parameters,
  optimizer: adamw({ learningRate: input("learning_rate", []) }),
  metrics: { accuracy: accuracy(logits, labels) },
};
const largest = { rows: 96, bindings: { sequence: 64 } };
const report = (rows: number) => memoryReport(trainingStep(step), { batch: rows, ...largest.bindings }).total;
const text = (row: number) => Int32Array.from({ length: 64 - (row % 3) }, (_, i) => 1 + ((row * 31 + i * 7) % 500));
const feedsOf = (rows: Int32Array): Record<string, Tensor> => ({
  ...padBatch(Array.from(rows, text)),
  labels: { shape: [rows.length], data: rows.map((row) => row % 3) },
  learning_rate: { shape: [], data: Float32Array.of(1e-3) },
});

test("a cut batch gives the same loss, metrics and weights, and an uneven last one too", async () => {
  const options = { step, frozen: {}, largest, session: { threads: 1 } };
  const whole = await createStepper({ ...options, memoryLimit: Number.POSITIVE_INFINITY });
  const cut = await createStepper({ ...options, memoryLimit: runtimeBytes + report(64) });
  assert.equal(whole.rowsAtOnce, Number.POSITIVE_INFINITY);
  assert.ok(cut.rowsAtOnce >= 1 && cut.rowsAtOnce < 96, `${cut.rowsAtOnce} rows at once`);
  const first = tensorsOf(parameters, initialize(parameters, 1));
  const carried = [whole, cut].map(({ initialState }) => ({ ...first, ...initialState }));
  assert.deepEqual(Object.keys(carried[1]!).sort(), Object.keys(carried[0]!).sort());
  for (const count of [96, 96, 50]) {
    const rows = Int32Array.from({ length: count }, (_, i) => i + count);
    const [a, b] = [await whole.run(rows, feedsOf, carried[0]!), await cut.run(rows, feedsOf, carried[1]!)];
    for (const name of ["loss", "accuracy"]) assert.ok(Math.abs(a.values[name]! - b.values[name]!) < 1e-4, name);
    [carried[0], carried[1]] = [{ ...a.carried }, { ...b.carried }];
  }
  // AdamW divides by the root of the square, so weights whose gradients are noise may part by a step's length.
  const parted = Object.keys(first).flatMap((name) => {
    const other = carried[1]![name]!.data as Float32Array;
    return Array.from(carried[0]![name]!.data as Float32Array, (value, i) => Math.abs(value - other[i]!));
  });
  assert.ok(parted.filter((difference) => difference > 1e-4).length < parted.length / 1000);
  await Promise.all([whole.release(), cut.release()]);
});

test("a limit that not even one row fits into is refused with what takes the room", async () => {
  const asked = createStepper({ step, frozen: {}, largest, session: { threads: 1 }, memoryLimit: runtimeBytes });
  await assert.rejects(asked, (error) => error instanceof MemoryError && /one row at a time needs/.test(error.message));
});
