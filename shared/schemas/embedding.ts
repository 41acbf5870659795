/** Embeddings: texts as vectors, field for field as OpenAI's. */
import { z } from "@hono/zod-openapi";
import { ofOneKind } from "./oneKind.ts";

const Token = z.int().min(0).max(2147483647);

/** Items are looked at one by one; that they are of one kind is checked behind, so that each fault has its own path. */
const EmbeddingInputs = z
  .union([
    z.string().min(1),
    z
      .array(z.union([z.string().min(1), Token, z.array(Token).min(1).max(8192)]))
      .min(1)
      .max(2048),
  ])
  .superRefine(ofOneKind)
  .openapi({
    description:
      "A text, the tokens of one, or up to 2,048 of either; none empty. What is longer than the model reads is cut.",
    example: "Where is my parcel?",
  });

export const CreateEmbedding = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .openapi({ description: "An imported base of `GET /v1/models`, or a model tuned over one." }),
    input: EmbeddingInputs,
    encoding_format: z.enum(["float", "base64"]).default("float").openapi({
      description:
        "`float`: a list of numbers. `base64`: the little-endian float32 bytes, which the official SDK asks for by itself and decodes.",
    }),
    dimensions: z
      .int()
      .min(1)
      .optional()
      .openapi({ description: "Keeps so many of the vector's first numbers, scaled to length 1 again; absent: all." }),
    user: z.string().optional().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("CreateEmbedding");
export type CreateEmbedding = z.infer<typeof CreateEmbedding>;

const Embedding = z
  .object({
    object: z.literal("embedding").openapi({ description: "Always `embedding`." }),
    index: z.int().openapi({ description: "Place of its input." }),
    embedding: z
      .union([z.array(z.number()), z.string()])
      .openapi({ description: "The vector, of length 1, in the format asked for." }),
  })
  .openapi("Embedding");

export const EmbeddingList = z
  .object({
    object: z.literal("list").openapi({ description: "Always `list`." }),
    data: z.array(Embedding).openapi({ description: "In the order of the inputs." }),
    model: z.string().openapi({ description: "The model that answered." }),
    usage: z
      .object({
        prompt_tokens: z.int().openapi({ description: "Tokens read." }),
        total_tokens: z.int().openapi({ description: "The same: nothing is generated." }),
      })
      .openapi({ description: "What the call read." }),
  })
  .openapi("EmbeddingList");
export type EmbeddingList = z.infer<typeof EmbeddingList>;
