/** Assignment: deterministic, sticky, by the shares, and another draw in each experiment. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../../shared/ids.ts";
import { decisions } from "../../../shared/inference/decisions.ts";
import { createFunctionRouting } from "../../../shared/inference/functionRouting.ts";
import type { Assignment } from "../../../shared/schemas/assignment.ts";
import type { ExperimentRecord } from "../../../shared/schemas/experiment.ts";
import type { ExposureRecord } from "../../../shared/schemas/exposure.ts";
import type { FunctionRecord } from "../../../shared/schemas/function.ts";
import { adaptiveMethod, experimentOf } from "../../support/experiments.ts";

const called = (experiment_id: string | null): FunctionRecord => ({
  id: "fn:intents",
  object: "function",
  name: "intents",
  description: null,
  variants: ["old", "new"].map((name) => ({ name, model: `ft:${name}` })),
  incumbent: "old",
  incumbent_since: 0,
  incumbent_reason: null,
  incumbent_set_by: "key_test",
  previous_incumbent: null,
  experiment_id,
  created_at: 0,
  updated_at: 0,
  project_id: "proj_test",
  revision: 0,
});

/** What each of `users` gets. */
async function variantsOf(
  experiment: ExperimentRecord,
  users: readonly string[],
  met = new Map<string, ExposureRecord>(),
) {
  const routing = createFunctionRouting({
    functions: { get: async () => called(experiment.id) } as never,
    experiments: { get: async () => experiment } as never,
    exposures: { get: async (_: string, __: string, unit: string) => met.get(unit) } as never,
  });
  const project = { id: "proj_test" };
  const assigned: Assignment[] = [];
  for (const safety_identifier of users) {
    const request = { model: "fn:intents", input: "x", questions: [], safety_identifier };
    const call = { id: newId("request"), project, request, episode_id: null };
    assigned.push((await routing.route(decisions, call)).assignment!);
  }
  return assigned;
}

const users = Array.from({ length: 2500 }, (_, i) => `user ${i}`);
const share = (all: readonly { variant: string }[]) =>
  all.filter(({ variant }) => variant === "new").length / all.length;

test("a tenth is a tenth, whoever asks again gets the same, and another experiment draws anew", async () => {
  const arms = [
    { variant: "old", share: 0.9 },
    { variant: "new", share: 0.1 },
  ];
  const experiment = experimentOf({ arms });
  const first = await variantsOf(experiment, users);
  assert.ok(Math.abs(share(first) - 0.1) < 0.03, String(share(first)));
  assert.deepEqual(await variantsOf(experiment, users), first);
  const other = await variantsOf(experimentOf({ arms }), users);
  const both = first.filter(({ variant }, i) => variant === "new" && other[i]!.variant === "new").length;
  assert.ok(both / users.length < 0.03, "independent from experiment to experiment");
});

test("a ramp takes in more and moves nobody who was within", async () => {
  const id = newId("experiment");
  const small = await variantsOf(experimentOf({ id, enrolled_share: 0.2 }), users);
  const large = await variantsOf(experimentOf({ id, enrolled_share: 0.6 }), users);
  const within = small.filter(({ experiment }) => experiment !== null);
  assert.ok(Math.abs(within.length / users.length - 0.2) < 0.04);
  for (const [i, one] of small.entries()) if (one.experiment) assert.deepEqual(large[i], one);
  const others = large.filter(({ experiment }) => experiment === null);
  assert.ok(others.length > 0 && others.every(({ variant }) => variant === "old"));
});

test("when shares have learned, those who met an arm keep it, and newcomers get the new shares", async () => {
  const [before, after] = [
    [0.5, 0.5],
    [0.1, 0.9],
  ];
  const learned = experimentOf({ method: adaptiveMethod, stages: [before!, after!] });
  const early = users.slice(0, 500);
  const met = new Map<string, ExposureRecord>();
  for (const { unit, experiment } of await variantsOf({ ...learned, stages: [before!] }, early)) {
    met.set(unit.key, { arm: experiment!.arm, stage: 0 } as ExposureRecord);
  }
  const kept = await variantsOf(learned, early, met);
  assert.ok(
    kept.every(({ unit, experiment }) => experiment!.arm === met.get(unit.key)!.arm && experiment!.stage === 0),
  );
  const newcomers = await variantsOf(learned, users.slice(500), met);
  assert.ok(Math.abs(share(newcomers) - 0.9) < 0.035, String(share(newcomers)));
  assert.ok(newcomers.every(({ experiment }) => experiment!.stage === 1));
});

test("paused or ended, it assigns nobody", async () => {
  for (const status of ["paused", "ended"] as const) {
    const all = await variantsOf(experimentOf({ status }), users.slice(0, 100));
    assert.ok(all.every(({ variant, experiment }) => variant === "old" && experiment === null));
  }
});
