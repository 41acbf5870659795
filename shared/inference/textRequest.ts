/** From the fields that OpenAI's requests for texts share to what the model host is asked. */
import { formatRule, type JsonFormat } from "../engine/generation/json/constraint.ts";
import { JsonSchemaError } from "../engine/generation/json/schema.ts";
import { ApiError } from "../errors.ts";
import type { TextRequest } from "../serving/generation.ts";

/** Null is as good as absent. */
type Field<T> = T | null | undefined;

export interface WritingFields {
  temperature?: Field<number>;
  top_p?: Field<number>;
  frequency_penalty?: Field<number>;
  presence_penalty?: Field<number>;
  logit_bias?: Field<Record<string, number>>;
  seed?: Field<number>;
  stop?: Field<string | string[]>;
}

export type Sampling = Omit<TextRequest, "prompt" | "names">;

// The share of probability that the likeliest token alone makes up.
const leastShare = 1e-6;

export function samplingOf(fields: WritingFields): Sampling {
  const { temperature, top_p, frequency_penalty, presence_penalty, logit_bias, seed, stop } = fields;
  return {
    temperature: temperature ?? undefined,
    topP: top_p == null ? undefined : Math.max(top_p, leastShare),
    frequencyPenalty: frequency_penalty ?? undefined,
    presencePenalty: presence_penalty ?? undefined,
    logitBias: logit_bias ? new Map(Object.entries(logit_bias).map(([id, bias]) => [Number(id), bias])) : undefined,
    seed: seed ?? undefined,
    stop: [stop ?? []].flat(),
  };
}

/** `schema` undefined: any object. Throws ApiError naming what of the schema is not supported. */
export function jsonFormat(schema: object | undefined, param: string): JsonFormat {
  const format: JsonFormat = schema ? { type: "schema", schema } : { type: "object" };
  try {
    formatRule(format);
    return format;
  } catch (cause) {
    if (!(cause instanceof JsonSchemaError)) throw cause;
    const path = cause.path ? `${param}.${cause.path}` : param;
    throw new ApiError("invalid_value", `'${path}' ${cause.message}.`, { param: path });
  }
}

/** A refusal of what would change the answer and cannot be done. */
export const refuse = (param: string, why: string) => new ApiError("invalid_value", `'${param}' ${why}.`, { param });

/** Options of streams without a stream are a mistake worth telling. */
export function requireStream({
  stream,
  stream_options,
}: {
  stream?: Field<boolean>;
  stream_options?: Field<object>;
}): void {
  if (stream_options && !stream) throw refuse("stream_options", "goes with 'stream' alone");
}
