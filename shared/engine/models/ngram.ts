/**
 * The graphs of a sparse linear classifier. The table of weights stays with the host; a graph sees only the rows that the
 * texts at hand touch, so a step moves bytes for those and not for the whole table.
 */
import { gradients } from "../gradient.ts";
import { input, type Node } from "../graph.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { marginCrossEntropy } from "../layers/lossesMargin.ts";
import { toOnnx } from "../onnx.ts";
import { add } from "../ops/elementwise.ts";
import { concat, slice } from "../ops/layout.ts";
import { matmul } from "../ops/matmul.ts";
import { type AdamWOptions, adamw } from "../optimizers/adamw.ts";
import { newName } from "../trainingStep.ts";

/** A run computes little and moves megabytes between host and session: no accelerator makes up for the way there. */
export const place = { device: "cpu" } as const;

/** Texts as dense rows over the features they hold together: float32 [batch, rows]. */
const textRows = () => input("x", ["batch", "rows"]);
const biasOf = (classes: number) => input("bias", [classes]);
const logitsOf = (x: Node, weight: Node, bias: Node): Node => add(matmul(x, weight), bias);

/** Inputs `x` float32 [batch, rows], `weight` [rows, classes], `bias` [classes]; output `logits` [batch, classes]. */
export function ngramForward(classes: number): Uint8Array {
  const logits = logitsOf(textRows(), input("weight", ["rows", classes]), biasOf(classes));
  return toOnnx({ outputs: { logits } });
}

/** What lies side by side in a row of the training table, each `classes` wide. */
const columns = ["weight", "adamw.m:weight", "adamw.v:weight"] as const;

/** Width of a row of the training table: the weights and Adam's two moments. */
export const tableWidth = (classes: number): number => columns.length * classes;

/** What a step carries besides the table, with each shape. */
export const carriedVectors = (classes: number): Record<string, number[]> => ({
  "adamw.step": [],
  bias: [classes],
  "adamw.m:bias": [classes],
  "adamw.v:bias": [classes],
});

export interface StepOptions extends Omit<AdamWOptions, "learningRate"> {
  /** By how much a label's logit should lead, in nats: see `marginCrossEntropy`. */
  margin: number;
}

/**
 * One lazy AdamW step (the moments of an untouched row stay as they are; TensorFlow Addons' LazyAdam). Inputs: `x`,
 * `table` float32 [rows, 3 classes], `labels` int32 [batch], `learning_rate`, and the carried vectors. Outputs: `loss`
 * (cross-entropy as it is, without the margin aimed for), `accuracy`, `new:table`, and `new:` each carried vector.
 */
export function ngramStep(classes: number, { margin, ...options }: StepOptions): Uint8Array {
  const x = textRows();
  const table = input("table", ["rows", tableWidth(classes)]);
  // Optimizers know a parameter's state by its name, and a slice has none of its own.
  const parts = columns.map((name, i) => {
    return { ...slice(table, { axis: 1, start: i * classes, end: (i + 1) * classes }), name };
  });
  const [weight, m, v] = parts as [Node, Node, Node];
  const vectors = Object.entries(carriedVectors(classes)).map(([name, shape]) => [name, input(name, shape)] as const);
  const { bias, ...moments } = Object.fromEntries(vectors) as Record<string, Node> & { bias: Node };
  const labels = input("labels", ["batch"], "int32");
  const logits = logitsOf(x, weight, bias);
  const aim = marginCrossEntropy(logits, labels, margin);
  const parameters = [weight, bias];
  const optimizer = adamw({ ...options, learningRate: input("learning_rate", []) });
  const state = { ...moments, "adamw.m:weight": m, "adamw.v:weight": v };
  const { updates, state: next } = optimizer.update(gradients(aim, parameters), state, parameters);
  const moved = (parameter: Node) => add(parameter, updates.get(parameter)!);
  const { "adamw.m:weight": nextM, "adamw.v:weight": nextV, ...rest } = next;
  const carried = { table: concat([moved(weight), nextM!, nextV!], 1), bias: moved(bias), ...rest };
  const named = Object.entries(carried).map(([name, node]) => [newName(name), node] as const);
  const metrics = { loss: crossEntropy(logits, labels), accuracy: accuracy(logits, labels) };
  return toOnnx({ outputs: { ...metrics, ...Object.fromEntries(named) } });
}
