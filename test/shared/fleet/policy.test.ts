/** The scaling rule: its table, its function and its limits say the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  checkPolicy,
  cpuPolicy,
  type FleetPolicy,
  gpuPolicy,
  maxTasks,
  readingSeconds,
  scaleInSeconds,
  scaleOnDemand,
  scaleSpot,
  scalingSteps,
  tasksFor,
  unscaled,
} from "../../../shared/fleet/policy.ts";

const policies: fc.Arbitrary<FleetPolicy> = fc
  .record({
    taskSteps: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
    minTasks: fc.nat(3),
    messagesPerTask: fc.integer({ min: 1, max: 20 }),
    idlePeriods: fc.integer({ min: 1, max: 12 }),
    cooldownSeconds: fc.nat(900),
    fallbackPeriods: fc.integer({ min: 1, max: 12 }),
    maxOnDemandTasks: fc.nat(40),
  })
  .map(({ taskSteps, minTasks, maxOnDemandTasks, ...rest }) => {
    const steps = taskSteps.sort((a, b) => a - b);
    const most = steps.at(-1)!;
    return {
      ...rest,
      taskSteps: steps,
      minTasks: Math.min(minTasks, most),
      maxOnDemandTasks: Math.min(maxOnDemandTasks, most),
    };
  });

describe("a fleet's policy", () => {
  it("is sound as it is shipped", () => {
    for (const policy of [gpuPolicy, cpuPolicy]) checkPolicy(policy);
    assert.equal(tasksFor(gpuPolicy, 0), 0);
    assert.equal(tasksFor(gpuPolicy, 1), 1);
    assert.equal(tasksFor(cpuPolicy, 1e6), maxTasks(cpuPolicy));
  });

  it("gives every number of messages one row of its table, which says what the function says", () => {
    fc.assert(
      fc.property(policies, fc.nat(1000), (policy, messages) => {
        checkPolicy(policy);
        const rows = scalingSteps(policy).filter(
          ({ lower, upper = Number.POSITIVE_INFINITY }) => lower <= messages && messages < upper,
        );
        assert.deepEqual(
          rows.map(({ tasks }) => tasks),
          [tasksFor(policy, messages)],
        );
      }),
    );
  });

  it("names the number that AWS would refuse or that contradicts another", () => {
    const refused: [Partial<FleetPolicy>, RegExp][] = [
      [{ taskSteps: [] }, /taskSteps/],
      [{ taskSteps: [2, 2] }, /taskSteps/],
      [{ taskSteps: Array.from({ length: 20 }, (_, i) => i + 1) }, /20 steps, not 21/],
      [{ minTasks: 9 }, /minTasks 9/],
      [{ messagesPerTask: 0 }, /messagesPerTask/],
      [{ idlePeriods: 1.5 }, /idlePeriods must be a whole number/],
      [{ maxOnDemandTasks: 99 }, /maxOnDemandTasks/],
    ];
    for (const [change, message] of refused) {
      assert.throws(() => checkPolicy({ ...gpuPolicy, ...change }), { name: "RangeError", message });
    }
  });

  it("asks for more at once, and for fewer only after readings in a row and the cooldown", () => {
    const policy: FleetPolicy = {
      ...gpuPolicy,
      taskSteps: [1, 2, 4],
      messagesPerTask: 2,
      idlePeriods: 2,
      cooldownSeconds: 150,
    };
    const readings = [0, 1, 8, 2, 8, 2, 2, 2, 0, 0, 0];
    let service = unscaled(0);
    const tasks = readings.map((messages, minute) => {
      service = scaleSpot(policy, service, minute * readingSeconds, messages);
      return service.tasks;
    });
    assert.deepEqual(tasks, [0, 1, 4, 4, 4, 4, 1, 1, 1, 0, 0]);
  });

  it("asks for on-demand tasks only where spot tasks have been missing for a while, and for no more than lasted", () => {
    const policy = { ...gpuPolicy, fallbackPeriods: 3, maxOnDemandTasks: 2 };
    const asked = (missing: number[]) => scaleOnDemand(policy, unscaled(0), 0, missing).tasks;
    assert.deepEqual([[], [4, 4], [4, 0, 4], [4, 1, 4], [9, 9, 4, 4, 4]].map(asked), [0, 0, 0, 1, 2]);
  });

  it("never leaves its bounds, and is at its minimum in time once there is nothing to do", () => {
    fc.assert(
      fc.property(policies, fc.array(fc.nat(500), { maxLength: 60 }), (policy, readings) => {
        let service = unscaled(policy.minTasks);
        const reads = (messages: number, minute: number) => {
          service = scaleSpot(policy, service, minute * readingSeconds, messages);
          assert.ok(service.tasks >= policy.minTasks && service.tasks <= maxTasks(policy));
        };
        readings.forEach(reads);
        const minutes = Math.floor(scaleInSeconds(policy, 0) / readingSeconds);
        for (let minute = 0; minute < minutes; minute++) reads(0, readings.length + minute);
        assert.equal(service.tasks, policy.minTasks);
      }),
    );
  });
});
