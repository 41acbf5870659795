/** The official SDK, unmodified, in the versions people have. */
import OpenAI from "openai";
import OpenAI6 from "openai-v6";

export type Sdk = typeof OpenAI;

/** Typed as the newer one; what only that has must be called by path. */
export const sdks: Record<string, Sdk> = {
  "openai 7.57.0": OpenAI,
  "openai 6.49.0": OpenAI6 as unknown as Sdk,
};
