/** How long answers take: the first one of a model, and those that follow. */
import assert from "node:assert/strict";
import type { Checks } from "../examine.ts";
import type { Patient } from "../patient.ts";
import { questions } from "../rows.ts";
import { decide, modelOf } from "./answers.ts";

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Milliseconds, of the sorted values. */
const quantile = (sorted: readonly number[], share: number) => sorted[Math.ceil(share * sorted.length) - 1]!;
const figure = (milliseconds: number) => `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;

async function figures({ settings }: Patient, work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < settings.samples; i++) times.push(await timed(work));
  times.sort((a, b) => a - b);
  assert.ok(times.length > 0, "no sample was taken");
  return `p50 ${figure(quantile(times, 0.5))}, p95 ${figure(quantile(times, 0.95))} of ${times.length}`;
}

export const firstAnswer: Checks = {
  async "latency of a model's first answer"(patient) {
    const model = modelOf(patient);
    return figure(await timed(() => decide(patient, model, questions[0]!.text)));
  },
};

export const latency: Checks = {
  async "latency of decisions"(patient) {
    const model = modelOf(patient);
    return figures(patient, () => decide(patient, model, questions[0]!.text));
  },

  async "latency of looking up"(patient) {
    return figures(patient, () => patient.client.models.retrieve("millrace-ngram"));
  },
};
