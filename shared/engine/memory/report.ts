/** What a training step will take of memory, by group, told from its graph before anything runs. */
import { type Node, topologicalOrder } from "../graph.ts";
import type { TrainingStep } from "../trainingStep.ts";
import { peakOf } from "./liveness.ts";
import { type Bindings, bytesOf } from "./sizes.ts";

/** What each group holds; the order is the report's. */
export const memoryGroups = {
  parameters: "trained weights and buffers, as they are fed",
  frozen: "weights that are not trained, as a session keeps them: stored, transposed and packed for its products",
  optimizer: "optimizer state and whatever else is carried, as it is fed",
  inputs: "what is fed anew at each step",
  gradients: "gradients alive when most is alive",
  activations: "values of the forward and backward pass alive when most is alive",
  results:
    "what the step hands on: in the session when most is alive, the host's copy, and the copy before, until collected",
  fragmentation: "what the session's allocator cannot fill: a tenth of what is alive in it, measured",
} as const;

export type MemoryGroup = keyof typeof memoryGroups;

export interface MemoryReport {
  /** Bytes. */
  readonly groups: Readonly<Record<MemoryGroup, number>>;
  /** Bytes of all groups. The process itself, about `runtimeBytes`, comes on top. */
  readonly total: number;
  /** Bytes while the session loads, before the first step: frozen weights as given, as a model, and as a session. */
  readonly loading: number;
  readonly bindings: Bindings;
}

/** Node with ONNX Runtime loaded and a graph of some thousand nodes built, measured: 205 to 225 MiB. */
export const runtimeBytes = 220 * 2 ** 20;

/**
 * Bytes for a byte of frozen weights, measured with those of a LoRA step (240 MiB) inside the model: what the session
 * keeps, and what the process takes until it has loaded.
 */
const frozenKept = 2.7;
const frozenLoading = 4.8;

/**
 * Memory of one call of a step that is not looped, on a CPU. `bindings` gives a size to each symbolic dimension of its
 * inputs; throws RangeError naming one that has none. Results are collected when the process's collector comes to it: where
 * weights and their states are most of a step, a quarter more is taken at times, and on a busy machine over a third was.
 */
export function memoryReport(step: TrainingStep, bindings: Bindings): MemoryReport {
  const outputs = Object.values(step.outputs);
  const peak = peakOf(outputs, bindings);
  const alive = (chosen: (node: Node) => boolean) =>
    [...peak.alive].reduce((total, [node, bytes]) => total + (chosen(node) ? bytes : 0), 0);
  const results = new Set(outputs);
  const gradients = new Set(step.gradients?.values());
  const isGradient = (node: Node) => gradients.has(node) && !results.has(node);
  const held = (nodes: Iterable<Node>) => [...nodes].reduce((total, node) => total + bytesOf(node, bindings), 0);
  const leaves = leavesOf(step, outputs);
  const frozen = held(leaves.frozen);
  const groups = {
    parameters: held(leaves.parameters),
    frozen: Math.ceil(frozenKept * frozen),
    optimizer: held(leaves.optimizer),
    inputs: held(leaves.inputs),
    gradients: alive(isGradient),
    activations: alive((node) => !results.has(node) && !isGradient(node)),
    results: alive((node) => results.has(node)) + 2 * held(results),
    fragmentation: Math.ceil(peak.bytes / 10),
  };
  const total = Object.values(groups).reduce((sum, bytes) => sum + bytes, 0);
  return { groups, total, loading: Math.ceil(frozenLoading * frozen), bindings };
}

/** The leaves under a step by what they are to it. A carried tensor that has gradients or is named as no state is a weight. */
function leavesOf(step: TrainingStep, outputs: readonly Node[]) {
  const leaves = topologicalOrder(outputs).filter(({ inputs, op }) => inputs.length === 0 && op !== "Constant");
  const states = new Set(Object.keys(step.initialState));
  const carried = new Set(step.carried.map(({ before }) => before));
  const isState = (node: Node) => carried.has(node) && states.has(node.name!);
  const isWeight = (node: Node) => !isState(node) && (carried.has(node) || Boolean(step.gradients?.has(node)));
  const isInput = ({ op }: Node) => op === "Input";
  return {
    optimizer: leaves.filter(isState),
    parameters: leaves.filter(isWeight),
    inputs: leaves.filter(isInput),
    frozen: leaves.filter((node) => !isState(node) && !isWeight(node) && !isInput(node)),
  };
}

export const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString("en-US")} MiB`;

/** Largest groups first, in MiB: "activations 812 MiB, results 133 MiB, ...". */
export function describeReport({ groups, total, bindings }: MemoryReport): string {
  const parts = Object.entries(groups).sort(([, a], [, b]) => b - a);
  const sizes = Object.entries(bindings).map(([name, size]) => `${name} ${size}`);
  const listed = parts.filter(([, bytes]) => bytes > 0).map(([name, bytes]) => `${name} ${mebibytes(bytes)}`);
  return `${mebibytes(total)} at ${sizes.join(", ")}: ${listed.join(", ")}`;
}
