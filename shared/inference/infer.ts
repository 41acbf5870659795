/** Any ONNX model, called by its declared inputs and outputs: the Open Inference Protocol over the model host. */
import type { Tensor } from "../engine/dataTypes.ts";
import { ApiError } from "../errors.ts";
import type { OnnxRecord } from "../schemas/base.ts";
import { InferRequest, type InferResponse } from "../schemas/infer.ts";
import type { Endpoint } from "./endpoint.ts";
import { type CallableModel, isOnnx } from "./modelLookUp.ts";
import { readTensor, writeTensor } from "./tensors.ts";

/** A request's body, and the model that its URL names. */
export const InferCall = InferRequest.extend({ model: InferRequest.shape.inputs.element.shape.name });
export type InferCall = ReturnType<typeof InferCall.parse>;

export const infer: Endpoint<InferCall, InferResponse> = {
  path: "/v1/models/{id}/infer",
  schema: InferCall,
  async answer({ context, project, request, signal }) {
    const model = asOnnx(await context.models.callable(project, request.model));
    const inputs = readInputs(model, request);
    const wanted = wantedOutputs(model, request);
    const found = await context.host.infer(model, { inputs, outputs: wanted.map(({ name }) => name) }, signal);
    const outputs = wanted.map((declared) => writeTensor(declared, found[declared.name]!));
    const { id, digest } = model;
    const echo = request.id === undefined ? {} : { id: request.id };
    return { body: { model_name: id, model_version: digest, ...echo, outputs }, model: id, digest };
  },
};

function asOnnx(model: CallableModel): OnnxRecord {
  if (isOnnx(model)) return model;
  const message = `'${model.id}' is no ONNX model: only those that an operator imported as ONNX files are called by tensors.`;
  throw new ApiError("invalid_value", message, { param: "model" });
}

const quoted = (tensors: readonly { name: string }[]) => tensors.map(({ name }) => `'${name}'`).join(", ");

function readInputs({ inputs: declared }: OnnxRecord, { inputs }: InferRequest): Record<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const [i, input] of inputs.entries()) {
    const param = `inputs[${i}]`;
    const refuse = (why: string) =>
      new ApiError("invalid_value", `'${param}.name' ${why}.`, { param: `${param}.name` });
    const one = declared.find(({ name }) => name === input.name);
    if (!one) throw refuse(`is '${input.name}', which is no input of the model: it has ${quoted(declared)}`);
    if (found.has(one.name)) throw refuse(`repeats '${input.name}'`);
    found.set(one.name, readTensor(input, one, param));
  }
  const missing = declared.find(({ name }) => !found.has(name));
  if (!missing) return Object.fromEntries(found);
  const { name, datatype, shape } = missing;
  const message = `'inputs' lacks '${name}', ${datatype} of shape [${shape.join(", ")}].`;
  throw new ApiError("invalid_value", message, { param: "inputs" });
}

function wantedOutputs({ outputs: declared }: OnnxRecord, { outputs }: InferRequest): OnnxRecord["outputs"] {
  if (!outputs?.length) return declared;
  return outputs.map(({ name }, i) => {
    const param = `outputs[${i}].name`;
    const one = declared.find((each) => each.name === name);
    const repeats = outputs.findIndex((each) => each.name === name) < i;
    if (one && !repeats) return one;
    const why = one ? `repeats '${name}'` : `is '${name}', which is no output of the model: it has ${quoted(declared)}`;
    throw new ApiError("invalid_value", `'${param}' ${why}.`, { param });
  });
}
