/** Several devices learn what one does, and a device that dies costs a retry and nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { input, type Tensor } from "../../../../shared/engine/index.ts";
import { mixSeeds } from "../../../../shared/engine/random.ts";
import { DeviceError } from "../../../../shared/engine/runtime/device.ts";
import { type DataParallel, startDataParallel } from "../../../../shared/engine/scale/dataParallel.ts";
import { DeviceLostError, type Replica } from "../../../../shared/engine/scale/replica.ts";
import { shardBatch } from "../../../../shared/engine/scale/shards.ts";
import { assertClose, numbers, tensor } from "../run.ts";
import {
  batchAt,
  bytes,
  firstWeights,
  inputs,
  loss,
  optimizer,
  parameters,
  plainTraining,
  rate,
  weight,
} from "./smallClassifier.ts";

const steps = [0, 1, 2, 3, 4];

async function withGroup<T>(devices: number, use: (group: DataParallel) => Promise<T>): Promise<T> {
  const group = await startDataParallel({
    loss,
    weight,
    parameters,
    optimizer,
    first: firstWeights(),
    devices: Array.from({ length: devices }, () => ({ threads: 1 })),
  });
  try {
    return await use(group);
  } finally {
    group.kill();
  }
}

// Thirteen rows: shares are uneven.
const shardsOf = (i: number, devices: number) => shardBatch(batchAt(i, 13), devices, inputs).map((shard) => [shard]);

/** Steps on so many devices; `disturb` may end one of them, or whatever else happens before a step. */
function parallelTraining(devices: number, disturb?: (group: DataParallel, step: number) => Promise<void> | void) {
  return withGroup(devices, async (group) => {
    const losses: number[] = [];
    const norms: number[] = [];
    for (const i of steps) {
      await disturb?.(group, i);
      const done = await group.step(shardsOf(i, devices), rate);
      losses.push(done.loss);
      norms.push(done.metrics.gradient_norm!);
    }
    return { losses, norms, carried: await group.carried() };
  });
}

describe("data parallel training", () => {
  const twoDevices = parallelTraining(2);

  it("has the losses and weights of one device, on two of them and on three", async () => {
    const plain = await plainTraining(steps.map((i) => batchAt(i, 13)));
    for (const { losses, norms, carried } of [await twoDevices, await parallelTraining(3)]) {
      assertClose(losses, plain.losses, 1e-6);
      assert.ok(norms.every((norm) => norm > 0));
      assert.deepEqual(Object.keys(carried).sort(), Object.keys(plain.carried).sort());
      for (const [name, value] of Object.entries(plain.carried))
        assertClose(numbers(carried[name]), numbers(value), 1e-5);
    }
    assert.ok(plain.losses.at(-1)! < plain.losses[0]!);
  });

  it("repeats bit for bit, also where devices died before, during and after a step", async () => {
    const expected = bytes((await twoDevices).carried);
    const found = await parallelTraining(2, async (group, step) => {
      const again = () =>
        assert.rejects(group.step(shardsOf(step, 2), rate), (error) => error instanceof DeviceLostError);
      if (step === 1) {
        group.replicas[1]!.kill();
        await assert.rejects(group.step(shardsOf(step, 2), rate), /^DeviceLostError: device 1 of 2 was killed/);
      }
      if (step === 2) {
        const running = again();
        group.replicas[0]!.kill();
        await running;
      }
      if (step === 4) {
        // Killed between gradients and update, the third step was still made, by the other.
        assert.equal(group.replicas[1]!.alive, false);
        await again();
      }
      if (!group.replicas.every(({ alive }) => alive)) await group.repair();
      if (step === 3) dieAtUpdate(group.replicas[1]!);
    });
    assert.equal(bytes(found.carried), expected);
    assert.deepEqual(found.losses, (await twoDevices).losses);
  });

  it("adds up micro-batches on a device", async () => {
    const whole = await withGroup(1, (group) => group.step([shardsOf(0, 1)[0]!], rate));
    const parts = await withGroup(1, (group) => group.step([shardBatch(batchAt(0, 13), 5, inputs)], rate));
    assertClose([parts.loss, parts.metrics.gradient_norm!], [whole.loss, whole.metrics.gradient_norm!], 1e-6);
  });

  it("names work that is at fault, and has not moved then", () =>
    withGroup(1, async (group) => {
      const before = bytes(await group.carried());
      const fault = (message: RegExp) => (error: unknown) =>
        error instanceof DeviceError && !(error instanceof DeviceLostError) && message.test(error.message);
      const { labels, ...unlabelled } = batchAt(0);
      await assert.rejects(group.step([[unlabelled]], rate), fault(/device 0 of 1: input "labels" is missing/));
      await assert.rejects(group.step([[batchAt(0)]], {}), fault(/input "learning_rate" is missing/));
      await assert.rejects(group.step([[{ ...batchAt(0), z: labels! }]], rate), fault(/no input "z"/));
      await assert.rejects(group.step([], rate), /1 devices need as many shards, not 0/);
      await assert.rejects(group.step([[]], rate), /at least one micro-batch/);
      assert.equal(bytes(await group.carried()), before);
      group.kill();
      await assert.rejects(group.repair(), /no device is left; begin again from a checkpoint/);
    }));
});

function dieAtUpdate(replica: Replica): void {
  const { run } = replica;
  Object.assign(replica, {
    run: (request: Parameters<typeof run>[0]) => {
      if (request.model === "apply") replica.kill();
      return run(request);
    },
  });
}

describe("a batch in shards", () => {
  const nodes = [...inputs, input("scale", []), input("seed", [], "uint32")];
  const batch: Record<string, Tensor> = {
    ...batchAt(0, 5),
    scale: tensor([], [2]),
    seed: tensor([], Uint32Array.of(7)),
  };

  it("keeps its rows in order, as evenly as can be, and gives each part a seed of its own", () => {
    const parts = shardBatch(batch, 2, nodes);
    assert.deepEqual(
      parts.map(({ x }) => x!.shape),
      [
        [2, 6],
        [3, 6],
      ],
    );
    assert.deepEqual(
      parts.flatMap(({ labels }) => numbers(labels)),
      numbers(batch.labels),
    );
    assert.deepEqual(
      parts.flatMap(({ x }) => numbers(x)),
      numbers(batch.x),
    );
    assert.deepEqual(
      parts.map(({ scale }) => numbers(scale)),
      [[2], [2]],
    );
    assert.deepEqual(
      parts.map(({ seed }) => numbers(seed)),
      [[7], [mixSeeds(7, 1)]],
    );
  });

  it("is refused where rows are too few or do not agree", () => {
    assert.throws(() => shardBatch(batch, 6, nodes), /5 rows cannot be cut into 6 parts/);
    assert.throws(() => shardBatch({ ...batch, x: batchAt(0, 4).x! }, 2, nodes), /one number of rows, not 4 and 5/);
    assert.throws(() => shardBatch({ scale: batch.scale! }, 2, nodes), /one number of rows, not none/);
  });
});
