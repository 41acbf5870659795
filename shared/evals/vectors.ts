/** How alike two texts are by their vectors. */
import { asEmbedder } from "../inference/embedder.ts";
import type { Asking } from "./asking.ts";

/** It comes with Millrace. */
export const usualEmbedder = "millrace-embed-en";

/** -1 to 1. Throws ApiError where the model gives no vectors. */
export async function cosine(
  { context, named, project, signal, patiently, onAnswer }: Asking,
  name: string | undefined,
  a: string,
  b: string,
) {
  const found = await patiently(() => named.find(project, name ?? usualEmbedder));
  const model = asEmbedder(found.model);
  const [first, second] = await patiently(() => context.host.embed(model, [a, b], signal));
  const score = first!.vector.reduce((sum, value, i) => sum + value * second!.vector[i]!, 0);
  const input_tokens = first!.tokens + second!.tokens;
  onAnswer?.({ endpoint: "/v1/embeddings", model: model.id, usage: { input_tokens, output_tokens: 0 } });
  return { score, uses: [{ model: model.id, input_tokens, output_tokens: 0 }] };
}
