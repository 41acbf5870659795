/** Every endpoint by its path: what a line of a batch may ask for, and what a worker answers for the API. */
import { chatCompletions } from "./chatCompletions.ts";
import { completions } from "./completions.ts";
import { decisions } from "./decisions.ts";
import { embeddings } from "./embeddings.ts";
import type { Endpoint } from "./endpoint.ts";
import { infer } from "./infer.ts";
import { moderations } from "./moderations.ts";
import { responses } from "./responses.ts";

/** Requests and answers of different endpoints differ; who takes one from the table checks the body by its schema. */
// biome-ignore lint/suspicious/noExplicitAny: the schema stands between a body and the endpoint that reads it
export type AnyEndpoint = Endpoint<any, any>;

const all: readonly AnyEndpoint[] = [decisions, embeddings, moderations, chatCompletions, completions, responses];

/** The call of an ONNX model has the model in its path, which a batch cannot spell. */
export const endpoints: ReadonlyMap<string, AnyEndpoint> = new Map(
  [...all, infer].map((endpoint) => [endpoint.path, endpoint]),
);

export const batchPaths = all.map(({ path }) => path) as [string, ...string[]];
