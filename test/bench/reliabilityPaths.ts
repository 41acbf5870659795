/** Which requests ask a model for an answer that is charged. */

const asking = /^\/v1\/(chat\/completions|completions|responses|decisions|embeddings|moderations)$/;

export function inferenceRequest({ method, path }: { method: string; path: string }): boolean {
  return method === "POST" && asking.test(path);
}
