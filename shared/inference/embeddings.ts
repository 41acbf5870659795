/** Embeddings: texts, or token ids, as vectors of length 1. */
import { ApiError } from "../errors.ts";
import { CreateEmbedding, type EmbeddingList } from "../schemas/embedding.ts";
import type { EmbeddingInput } from "../serving/host.ts";
import { asEmbedder } from "./embedder.ts";
import type { Endpoint } from "./endpoint.ts";

export const embeddings: Endpoint<CreateEmbedding, EmbeddingList> = {
  path: "/v1/embeddings",
  schema: CreateEmbedding,
  async answer({ context, project, request, signal }) {
    const model = asEmbedder(await context.models.callable(project, request.model));
    const embedded = await context.host.embed(model, inputsOf(request.input), signal).catch((error) => {
      throw isOneList(request.input) ? aboutTheList(error) : error;
    });
    const encode = request.encoding_format === "base64" ? littleEndianBase64 : (vector: Float32Array) => [...vector];
    const data = embedded.map(({ vector }, index) => {
      return { object: "embedding" as const, index, embedding: encode(shortened(vector, request.dimensions)) };
    });
    const tokens = embedded.reduce((sum, { tokens }) => sum + tokens, 0);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return { body: { object: "list", data, model: model.id, usage }, model: model.id, digest: model.digest };
  },
};

/** The schema sees to it that items are of one kind. */
function inputsOf(input: CreateEmbedding["input"]): EmbeddingInput[] {
  if (typeof input === "string") return [input];
  return isOneList(input) ? [input] : (input as EmbeddingInput[]);
}

/** The tokens of a single text. */
function isOneList(input: CreateEmbedding["input"]): input is number[] {
  return typeof input[0] === "number";
}

/** The host speaks of its inputs, of which the whole list is the first. */
function aboutTheList(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.param !== "input[0]") return error;
  return new ApiError(error.code, error.message.replace("input[0]", "input"), { param: "input" });
}

/** Matryoshka-style: the first numbers alone, scaled to length 1. Throws ApiError where there are not so many. */
function shortened(vector: Float32Array, dimensions = vector.length): Float32Array {
  if (dimensions > vector.length) {
    const message = `'dimensions' is ${dimensions}, but this model's vectors have ${vector.length}.`;
    throw new ApiError("invalid_value", message, { param: "dimensions" });
  }
  if (dimensions === vector.length) return vector;
  const first = vector.subarray(0, dimensions);
  const length = Math.hypot(...first);
  return length > 0 ? first.map((value) => value / length) : first;
}

function littleEndianBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString("base64");
}
