/**
 * The graphs of a sparse linear classifier. The table of weights stays with the host; a graph sees only the rows that the
 * texts at hand touch, so a step moves bytes for those and not for the whole table.
 */

import { gradients } from "../gradient.ts";
import { input, type Node } from "../graph.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { toOnnx } from "../onnx.ts";
import { add } from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import { type AdamWOptions, adamw } from "../optimizers/adamw.ts";
import { newName } from "../trainingStep.ts";

/** Texts as dense rows over the features they hold together, and those features' weights. */
interface LinearInputs {
  /** float32 [batch, rows] */
  x: Node;
  /** float32 [rows, classes] */
  weight: Node;
  /** float32 [classes] */
  bias: Node;
}

function linearInputs(classes: number): LinearInputs {
  return {
    x: input("x", ["batch", "rows"]),
    weight: input("weight", ["rows", classes]),
    bias: input("bias", [classes]),
  };
}

const logitsOf = ({ x, weight, bias }: LinearInputs): Node => add(matmul(x, weight), bias);

/** Inputs `x`, `weight`, `bias`; output `logits` float32 [batch, classes]. */
export function ngramForward(classes: number): Uint8Array {
  return toOnnx({ outputs: { logits: logitsOf(linearInputs(classes)) } });
}

/** What a step carries besides the weights, by parameter: Adam's two moments. */
export const moments = ["adamw.m", "adamw.v"] as const;

/**
 * One lazy AdamW step (the moments of an untouched row stay as they are; TensorFlow Addons' LazyAdam). Inputs: those of
 * the forward graph, `labels` int32 [batch], `learning_rate`, `adamw.step` and the moments, each float32. Outputs: `loss`,
 * `accuracy`, and `new:` each carried tensor.
 */
export function ngramStep(classes: number, options: Omit<AdamWOptions, "learningRate">): Uint8Array {
  const inputs = linearInputs(classes);
  const { weight, bias } = inputs;
  const labels = input("labels", ["batch"], "int32");
  const logits = logitsOf(inputs);
  const loss = crossEntropy(logits, labels);
  const parameters = [weight, bias];
  const slots = moments.flatMap((moment) => {
    return parameters.map(({ name, type }) => input(`${moment}:${name}`, type.shape));
  });
  const state = Object.fromEntries([input("adamw.step", []), ...slots].map((node) => [node.name!, node]));
  const optimizer = adamw({ ...options, learningRate: input("learning_rate", []) });
  const update = optimizer.update(gradients(loss, parameters), state, parameters);
  const next = parameters.map((node) => [newName(node.name!), add(node, update.updates.get(node)!)] as const);
  const moved = Object.entries(update.state).map(([name, node]) => [newName(name), node] as const);
  return toOnnx({ outputs: { loss, accuracy: accuracy(logits, labels), ...Object.fromEntries([...next, ...moved]) } });
}
