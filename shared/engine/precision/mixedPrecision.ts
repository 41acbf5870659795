/** A training step whose products run in half precision, over weights and optimizer state in float32. */
import { gradients } from "../gradient.ts";
import type { Node } from "../graph.ts";
import { div, mul, sub } from "../ops/elementwise.ts";
import { cast, where } from "../ops/logic.ts";
import { assembleStep, type Carried, newName, type TrainingStep, type TrainingStepOptions } from "../trainingStep.ts";
import { type AutocastOptions, autocast } from "./autocast.ts";
import { allFinite, type LossScaleOptions, lossScale } from "./lossScale.ts";

export interface MixedPrecisionOptions extends TrainingStepOptions {
  readonly precision: AutocastOptions;
  /** Of float16 only: bfloat16 has the range of float32 and needs none. */
  readonly scaling?: LossScaleOptions;
}

/**
 * As `trainingStep`. With float16 the loss is scaled while it is differentiated, and a step whose gradients are not
 * finite changes nothing that is carried but the scale. Metric of float16: `skipped`, 1 for such a step, whose
 * `gradient_norm` is not finite either.
 */
export function mixedPrecisionStep(options: MixedPrecisionOptions): TrainingStep {
  return options.precision.to === "float16" ? scaledStep(options) : castStep(options, options.loss, (found) => found);
}

/** The plain step over what the graph becomes; `differentiated` is the loss or a multiple of it. */
function castStep(
  options: MixedPrecisionOptions,
  differentiated: Node,
  unscaled: (gradient: Node) => Node,
): TrainingStep {
  const { loss, parameters, buffers = new Map<Node, Node>(), metrics = {}, precision } = options;
  const found = gradients(differentiated, parameters, options);
  const roots = [loss, ...found.values(), ...buffers.values(), ...Object.values(metrics)];
  const became = autocast(roots, precision);
  const of = (node: Node) => became.get(node)!;
  return assembleStep({
    ...options,
    loss: of(loss),
    buffers: new Map([...buffers].map(([before, after]) => [before, of(after)])),
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, node]) => [name, of(node)])),
    gradients: new Map([...found].map(([target, gradient]) => [target, unscaled(of(gradient))])),
  });
}

function scaledStep(options: MixedPrecisionOptions): TrainingStep {
  const scaling = lossScale(options.scaling);
  const step = castStep(options, mul(options.loss, scaling.scale), (gradient) => div(gradient, scaling.scale));
  const finite = allFinite(step.gradients!.values());
  const guarded = step.carried.map(
    ({ name, before, after }): Carried => ({ name, before, after: where(finite, after, before) }),
  );
  const carried = [...guarded, ...scaling.next(finite)];
  const metrics = { ...step.metrics, skipped: sub(1, cast(finite, "float32")) };
  const next = Object.fromEntries(carried.map(({ name, after }) => [newName(name), after]));
  const initialState = { ...step.initialState, ...scaling.initialState };
  return { ...step, carried, initialState, metrics, outputs: { loss: step.loss, ...metrics, ...next } };
}
