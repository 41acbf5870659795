/** Shares that learn go where feedback says, keep their floor, and the stopping rule ends what is decided. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { adapt } from "../../../shared/experiments/learning.ts";
import type { Needs } from "../../../shared/experiments/outcomes.ts";
import { newId } from "../../../shared/ids.ts";
import type { ExperimentRecord } from "../../../shared/schemas/experiment.ts";
import { adaptiveMethod, drawn, experimentOf } from "../../support/experiments.ts";

interface Simulated {
  /** Units exposed, alternating between arms. */
  units: number;
  /** Share of solved, by arm. */
  rates: readonly number[];
  /** Share of failed calls, by arm. */
  errors?: readonly number[];
}

function storesWith(experiment: ExperimentRecord, { units, rates, errors = [0, 0] }: Simulated): Needs {
  const { id, project_id, created_at } = experiment;
  const all = Array.from({ length: units }, (_, i) => ({ unit: String(i).padStart(8, "0"), arm: i % rates.length, i }));
  return {
    exposures: {
      async *stream() {
        for (const { unit, arm, i } of all) {
          const is_error = drawn("error", i) < errors[arm]!;
          const call = { latency_ms: 1, is_error, is_refusal: false, created_at };
          yield { project_id, experiment_id: id, unit, unit_kind: "person", arm, stage: 0, ...call };
        }
      },
    },
    inferences: {
      async *stream() {
        for (const { unit, arm, i } of all) {
          const entry = {
            metric_name: "solved",
            value: drawn("solved", i) < rates[arm]!,
            created_at,
            expires_at: null,
          };
          const called = { function: experiment.function, experiment_id: id, unit, created_at };
          yield { id: newId("request"), ...called, feedback: { solved: entry } };
        }
      },
    },
  } as unknown as Needs;
}

async function look(experiment: ExperimentRecord, simulated: Simulated) {
  const told: { shares?: readonly number[]; ended?: { winner: string | null; isPromoted: boolean } } = {};
  const adapted = await adapt(
    storesWith(experiment, simulated),
    {
      async end(_, __, ending) {
        told.ended = ending;
        return experiment;
      },
      async reshare(_, shares) {
        told.shares = shares;
        return true;
      },
    },
    experiment,
  );
  return { adapted, ...told };
}

const learning = (changes: Partial<typeof adaptiveMethod> = {}, more: Partial<ExperimentRecord> = {}) =>
  experimentOf({ method: { ...adaptiveMethod, ...changes }, ...more });

test("the better arm gets more, the other at least its floor", async () => {
  const { adapted, shares } = await look(learning(), { units: 120, rates: [0.3, 0.5] });
  assert.equal(adapted, "reshared");
  assert.ok(shares![1]! > 0.5 && shares![0]! >= 0.1, String(shares));
  assert.ok(Math.abs(shares![0]! + shares![1]! - 1) < 1e-9);
});

test("of a metric to be minimized, the better arm is the lesser", async () => {
  const metric = { name: "solved", type: "boolean" as const, level: "inference" as const, optimize: "min" as const };
  const { shares } = await look(learning({}, { metric }), { units: 120, rates: [0.3, 0.5] });
  assert.ok(shares![0]! > 0.5, String(shares));
});

test("nothing moves on too few outcomes, nor where arms did not get their shares", async () => {
  assert.equal((await look(learning(), { units: 38, rates: [0, 1] })).adapted, "kept");
  const skewed = learning({}, { stages: [[0.8, 0.2]] });
  assert.equal((await look(skewed, { units: 400, rates: [0.3, 0.5] })).adapted, "kept");
});

test("a fixed, a paused and an ended experiment learn nothing", async () => {
  for (const still of [experimentOf(), learning({}, { status: "paused" }), learning({}, { status: "ended" })]) {
    assert.equal((await look(still, { units: 600, rates: [0.1, 0.9] })).adapted, "kept");
  }
});

test("what is certain ends, and its winner serves where that was asked for and no guardrail is broken", async () => {
  const decided = { units: 600, rates: [0.2, 0.6] };
  assert.deepEqual(await look(learning({ least_outcomes: 500 }), decided).then(({ ended }) => ended), undefined);
  const { adapted, ended } = await look(learning(), decided);
  assert.deepEqual([adapted, ended?.winner, ended?.isPromoted], ["ended", "new", false]);
  const promoting = learning({ promote_winner: true });
  assert.equal((await look(promoting, decided)).ended?.isPromoted, true);
  const guarded = { ...promoting, guardrails: [{ name: "errors" as const, tolerance: 0.01 }] };
  const broken = await look(guarded, { ...decided, errors: [0, 0.8] });
  assert.deepEqual([broken.ended?.winner, broken.ended?.isPromoted], ["new", false]);
});
