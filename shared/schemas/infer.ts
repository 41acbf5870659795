/** Calls of ONNX models by their declared inputs and outputs, in the bodies of the Open Inference Protocol. */
import { z } from "@hono/zod-openapi";
import { datatypeNames } from "./tensor.ts";

const mostAxes = 16;
const mostTensors = 256;
const name = z.string().min(1).max(512);
const shape = z
  .array(
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  )
  .max(mostAxes);
const parameters = z.record(z.string(), z.unknown());
const elements = (description: string) =>
  z.array(z.unknown()).openapi({ type: "array", items: {}, description, example: [1, 2] });

const InferInput = z
  .strictObject({
    name: name.openapi({ description: "Of an input that the model declares." }),
    shape: shape.openapi({ description: "Elements along each axis; empty for a single number." }),
    datatype: z.enum(datatypeNames).openapi({ description: "As the model declares it." }),
    parameters: parameters.optional().openapi({ description: "Accepted and ignored." }),
    data: elements(
      "The elements, row by row: one flat list, or lists in lists as the shape says. Numbers, or true and false.",
    ).optional(),
    data_base64: z.string().optional().openapi({
      description: "Our extension, in place of `data`: the elements' bytes, little-endian, in base64.",
      example: "AACAPwAAAEA=",
    }),
  })
  .openapi("InferInput");
export type InferInput = z.infer<typeof InferInput>;

const WantedOutput = z
  .strictObject({
    name: name.openapi({ description: "Of an output that the model declares.", example: "y" }),
    parameters: parameters.optional().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("InferWantedOutput");

export const InferRequest = z
  .strictObject({
    id: z.string().max(512).optional().openapi({ description: "Returned as it is." }),
    parameters: parameters.optional().openapi({ description: "Accepted and ignored." }),
    inputs: z.array(InferInput).max(mostTensors).openapi({ description: "Every input of the model, in any order." }),
    outputs: z
      .array(WantedOutput)
      .max(mostTensors)
      .optional()
      .openapi({ description: "Which outputs to return; all of them unless given." }),
  })
  .openapi("InferRequest");
export type InferRequest = z.infer<typeof InferRequest>;

const InferOutput = z
  .object({
    name: z.string().openapi({ description: "Of the output." }),
    shape: shape.openapi({ description: "Elements along each axis." }),
    datatype: z.enum(datatypeNames).openapi({ description: "As the model declares it." }),
    data: elements(
      "The elements, row by row. Null for what is no finite number; integers beyond 2^53 are written as strings.",
    ),
  })
  .openapi("InferOutput");

export const InferResponse = z
  .object({
    model_name: z.string().openapi({ description: "The model that answered." }),
    model_version: z.string().openapi({ description: "SHA-256 over the model's files, as `x-millrace-model-digest`." }),
    id: z.string().optional().openapi({ description: "Of the request." }),
    outputs: z.array(InferOutput).openapi({ description: "In the order that was asked for, else in the model's own." }),
  })
  .openapi("InferResponse");
export type InferResponse = z.infer<typeof InferResponse>;
