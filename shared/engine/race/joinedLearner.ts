/** Learners that make one model between them, one after the other; the model's logits are the sum of theirs. */
import type { Tensor } from "../dataTypes.ts";
import type { Learner } from "../training/learner.ts";
import type { StoredTensor } from "../weights/safetensors.ts";
import { weightedSum } from "./combination.ts";

export interface Part {
  /** Under which its state is kept. */
  readonly name: string;
  readonly learner: Learner;
  /** How many of its steps are made; the schedule of its rates stays that of all. Default: all. */
  readonly steps?: number;
  /** What its logits are multiplied by. */
  readonly scale: number;
  /** From the part's own tensors to those of the model. */
  readonly weights: (tensors: Record<string, StoredTensor>) => Record<string, StoredTensor>;
}

/** Validation rows are judged once, by the whole model. `adjust` has the last word on a row's logits. */
export function joinLearners(parts: readonly Part[], adjust: (logits: Float32Array) => Float32Array): Learner {
  const stepsOf = ({ learner, steps }: Part) => Math.min(learner.totalSteps, steps ?? Number.POSITIVE_INFINITY);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + stepsOf(part), 0));
  const totalSteps = parts.reduce((sum, part) => sum + stepsOf(part), 0);
  const prefixed = ({ name }: Part, tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [`${name}/${key}`, tensor]));
  const own = ({ name }: Part, tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, tensor]) => [key.slice(name.length + 1), tensor]),
    );
  const adapter = parts.find(({ learner }) => learner.adapter)?.learner.adapter;
  return {
    totalSteps,
    isEvaluated: (n) => n + 1 === totalSteps,
    step(n) {
      const at = starts.findLastIndex((start) => n >= start);
      return parts[at]!.learner.step(n - starts[at]!);
    },
    async validate() {
      const held = await Promise.all(parts.map(({ learner }) => learner.validate()));
      const { labels, classes } = held[0]!;
      const logits = weightedSum(
        held.map((own) => own.logits),
        parts.map(({ scale }) => scale),
      );
      for (let at = 0; at < logits.length; at += classes) logits.set(adjust(logits.slice(at, at + classes)), at);
      return { logits, labels, classes };
    },
    state: () => Object.assign({}, ...parts.map((part) => prefixed(part, part.learner.state()))),
    restore(state) {
      for (const part of parts) part.learner.restore(own(part, state));
    },
    ...(adapter && { adapter }),
    weights: () => Object.assign({}, ...parts.map((part) => part.weights(part.learner.weights()))),
    async release() {
      await Promise.all(parts.map(({ learner }) => learner.release()));
    },
  };
}
