/** The model that won, made from all rows: its parts learn one after the other. */

import type { Tensor } from "../dataTypes.ts";
import { storedVectors, storedWeights } from "../models/ngramClassifier.ts";
import type { Examples } from "../training/examples.ts";
import type { Learner, ResolvedHyperparameters } from "../training/learner.ts";
import type { StoredTensor } from "../weights/safetensors.ts";
import type { Decision, WinningPart } from "./decision.ts";
import { joinLearners } from "./joinedLearner.ts";
import { type Course, methods } from "./methods.ts";
import { withOutOfScope } from "./outOfScope.ts";
import { allowanceFor } from "./plan.ts";

export interface WinnerRows {
  readonly train: Examples;
  /** Rows given to judge it by; may be empty. */
  readonly valid: Examples;
}

export async function createWinner(course: Course, { parts, bias, outOfScope }: Decision, rows: WinnerRows) {
  const operations = allowanceFor(course.vectors, rows.train.texts).winner;
  const started = await Promise.all(
    parts.map(({ method, setting }) => methods[method].start(course, { ...rows, setting, operations })),
  );
  const last = parts.length - 1;
  const learner: Learner = joinLearners(
    parts.map((part, i) => {
      const { learner } = started[i]!;
      const own = i === last ? bias : null;
      return {
        ...{ name: part.method, learner, scale: part.scale },
        steps: Math.max(1, Math.round(part.setting.share * learner.totalSteps)),
        weights: (tensors: Record<string, StoredTensor>) => scaled(part, tensors, own),
      };
    }),
    (logits) => {
      const biased = bias ? logits.map((value, k) => value + bias[k]!) : logits;
      return outOfScope ? withOutOfScope(biased, outOfScope) : biased;
    },
  );
  const hyperparameters: ResolvedHyperparameters = started[last]!.hyperparameters;
  return { learner, hyperparameters };
}

/** The part's share of the whole goes into its own weights, so that whoever serves them only adds. */
function scaled({ method, scale }: WinningPart, tensors: Record<string, StoredTensor>, bias: number[] | null) {
  const biased = (values: Float32Array) => values.map((value, k) => scale * value + (bias?.[k] ?? 0));
  if (method === "ngram") {
    const own = storedVectors(new Map(Object.entries(tensors as Record<string, Tensor>)));
    return storedWeights({ ...own, weight: own.weight.map((value) => scale * value), bias: biased(own.bias) });
  }
  const weight = tensors["classifier.weight"]!;
  const offsets = tensors["classifier.bias"]!;
  return {
    ...tensors,
    "classifier.weight": { ...weight, data: (weight.data as Float32Array).map((value) => scale * value) },
    "classifier.bias": { ...offsets, data: biased(offsets.data as Float32Array) },
  };
}
