/** What an answer cost, whichever of OpenAI's two spellings its body uses. */
import { z } from "zod";

export interface TokenUsage {
  input_tokens: number;
  output_tokens: number;
}

const count = z.int().min(0).default(0);
const Spellings = z.union([
  z.object({ input_tokens: z.int().min(0), output_tokens: count }),
  z
    .object({ prompt_tokens: z.int().min(0), completion_tokens: count })
    .transform(({ prompt_tokens, completion_tokens }) => ({
      input_tokens: prompt_tokens,
      output_tokens: completion_tokens,
    })),
]);
const Body = z.object({ usage: Spellings });

export const noTokens: TokenUsage = { input_tokens: 0, output_tokens: 0 };

/** Of a body without usage: none. */
export function usageOf(body: unknown): TokenUsage {
  const parsed = Body.safeParse(body);
  return parsed.success ? parsed.data.usage : noTokens;
}

export function sumOfUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return { input_tokens: a.input_tokens + b.input_tokens, output_tokens: a.output_tokens + b.output_tokens };
}
