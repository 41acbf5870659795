/** What the contract of every POST says of requests that are sent again. */
import type { OpenApiDocument } from "../document.ts";

type Path = NonNullable<OpenApiDocument["paths"]>[string];
type Operation = NonNullable<Path["post"]>;

const parameters = [
  {
    name: "idempotency-key",
    in: "header" as const,
    required: false,
    schema: { type: "string" as const, minLength: 1, maxLength: 256 },
    description:
      "Same key within 24 hours: the request is done once, and its answer sent again (`idempotent-replayed: true`). Where that was refused, or was longer than 256 KiB or a stream, it is done again. A secret is in it again, for the API key that asked first and no other.",
  },
  {
    name: "x-stainless-retry-count",
    in: "header" as const,
    required: false,
    schema: { type: "integer" as const },
    description:
      "Sent by SDKs: from 1 on, the same body within ten minutes is the same request. Not for calls of models and uploads, which a key alone makes known.",
  },
];

const error = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/ErrorResponse" } } },
});

/** Adds what the route's own contract leaves out. */
export function describeRetries(operation: Operation): void {
  operation.parameters = [...(operation.parameters ?? []), ...parameters];
  operation.responses = {
    409: error("Not possible in the state it is in, or the same request is still at work: ask again for its answer."),
    422: error("The `Idempotency-Key` was used for a different request."),
    ...operation.responses,
  };
}
