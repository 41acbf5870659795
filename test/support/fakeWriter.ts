/** Texts that can be told in advance: the words of the last message, one a token, as often as there is room for. */
import type { Generation, TextRequest, WrittenPiece, WrittenToken } from "../../shared/serving/generation.ts";

export async function fakeWrite(request: TextRequest): ReturnType<Generation["generate"]> {
  const words = wordsOf(request.prompt);
  const written = request.json ? ["{", "}"] : words.slice(0, request.maxTokens);
  const isCut = !request.json && written.length < words.length;
  async function* pieces(): AsyncGenerator<WrittenPiece> {
    for (const text of written) yield { text, tokens: [token(text, request.topLogProbabilities ?? 0)] };
    yield { text: "", tokens: [], finishReason: isCut ? "length" : "stop" };
  }
  return { promptTokens: words.length, pieces: pieces() };
}

function wordsOf(prompt: TextRequest["prompt"]): string[] {
  if ("tokens" in prompt) return prompt.tokens.map((id) => ` ${id}`);
  const text = "text" in prompt ? prompt.text : (prompt.messages.at(-1)?.content ?? "");
  return text.match(/\s*\S+/g) ?? [];
}

function token(text: string, alternatives: number): WrittenToken {
  const bytes = new Uint8Array(Buffer.from(text));
  const top = Array.from({ length: alternatives }, (_, i) => ({
    text: `${text}${i || ""}`,
    bytes,
    logProbability: -i,
  }));
  return { text, bytes, logProbability: 0, top };
}
