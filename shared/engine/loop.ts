/** Many optimizer steps in one call: the training step as the body of an ONNX Loop. */
import type { TypedArray } from "./dataTypes.ts";
import { constant, type Node } from "./graph.ts";
import { collectLeaves, splitParameters, valueInfo, writeConstants } from "./onnx.ts";
import { writeNodes } from "./onnxNodes.ts";
import { encodeModel, type GraphProto, type NodeProto } from "./onnxSchema.ts";
import { newName, type TrainingStep } from "./trainingStep.ts";

export interface LoopModel {
  readonly step: TrainingStep;
  /** Data of frozen parameters; they lie outside the loop, once. */
  readonly initializers?: Readonly<Record<string, TypedArray>>;
}

/**
 * A model that takes as many steps as its inputs are stacked: each input of the step has a leading axis "steps", of a
 * length chosen at run time. Carried tensors are fed and returned as in a single step (`name`, `new:name`); the loss
 * and metrics come back as [steps]. On a GPU this saves the copies of weights between steps; on a CPU, their
 * allocation.
 */
export function toLoopOnnx({ step, initializers = {} }: LoopModel): Uint8Array {
  const leaves = collectLeaves(Object.values(step.outputs));
  const [timing] = leaves.inputs;
  if (!timing) throw new TypeError("a looped step needs an input whose length gives the number of steps");
  const carried = new Set(step.carried.map(({ before }) => before));
  const frozen = splitParameters(
    leaves.parameters.filter((node) => !carried.has(node)),
    initializers,
  );
  const always = constant(1, "bool");
  const constants = writeConstants([...leaves.constants, always]);
  const body = loopBody(step, leaves.inputs, new Map([...constants.names, ...leaves.parameters.map(named)]));
  const stacked = leaves.inputs.map((node) => valueInfo(node.name!, stack(node)));
  const fed = [...step.carried.map(({ before }) => before), ...frozen.fed].map((node) =>
    valueInfo(node.name!, node.type),
  );
  return encodeModel({
    name: "loop",
    node: loopNodes(step, timing, constants.names.get(always)!, body),
    initializer: [...frozen.stored, ...constants.tensors],
    input: [...stacked, ...fed],
    output: [
      ...step.carried.map(({ name, before }) => valueInfo(newName(name), before.type)),
      ...Object.entries(scalars(step)).map(([name, node]) => valueInfo(name, stack(node))),
    ],
  });
}

const named = (node: Node): [Node, string] => [node, node.name!];
const stack = ({ type }: Node) => ({ shape: ["steps", ...type.shape], dataType: type.dataType });
const scalars = ({ loss, metrics }: TrainingStep) => ({ loss, ...metrics });
// Names inside the body must differ from those outside, which it sees too.
const inner = (name: string) => `step:${name}`;

function node(opType: string, input: string[], output: string[], attribute: NodeProto["attribute"] = []): NodeProto {
  return { opType, name: output[0]!, input, output, attribute };
}

function loopNodes(step: TrainingStep, timing: Node, always: string, body: GraphProto): NodeProto[] {
  const first = [
    { name: "start", type: 2, i: 0 },
    { name: "end", type: 2, i: 1 },
  ];
  const results = [...step.carried.map(({ name }) => newName(name)), ...Object.keys(scalars(step))];
  return [
    node("Shape", [timing.name!], ["steps:vector"], first),
    node("Squeeze", ["steps:vector"], ["steps:count"]),
    node("Loop", ["steps:count", always, ...step.carried.map(({ name }) => name)], results, [
      { name: "body", type: 5, g: body },
    ]),
  ];
}

/** One iteration: this step's slice of each stacked input, then the step itself. */
function loopBody(step: TrainingStep, inputs: readonly Node[], outside: ReadonlyMap<Node, string>): GraphProto {
  const given = new Map(outside);
  for (const leaf of inputs) given.set(leaf, inner(leaf.name!));
  for (const { name, before } of step.carried) given.set(before, inner(name));
  const carried = step.carried.map(({ name, after }) => [inner(newName(name)), after] as const);
  const watched = Object.entries(scalars(step)).map(([name, value]) => [inner(name), value] as const);
  const outputs = Object.fromEntries([...carried, ...watched]);
  const slices = inputs.map((leaf) => node("Gather", [leaf.name!, "step:index"], [inner(leaf.name!)]));
  const index = valueInfo("step:index", { shape: [], dataType: "int64" });
  const condition = (name: string) => valueInfo(name, { shape: [], dataType: "bool" });
  return {
    name: "step",
    node: [...slices, node("Identity", ["step:go"], ["step:goOn"]), ...writeNodes(outputs, given)],
    input: [
      index,
      condition("step:go"),
      ...step.carried.map(({ name, before }) => valueInfo(inner(name), before.type)),
    ],
    output: [condition("step:goOn"), ...Object.entries(outputs).map(([name, value]) => valueInfo(name, value.type))],
  };
}
