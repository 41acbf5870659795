/** What a base as it is makes of texts. */
import { openTextVectors } from "../../../shared/engine/models/textVectors.ts";
import type { Rows } from "./principal.ts";

export async function vectorsOf(base: string, texts: readonly string[], threads: number): Promise<Rows> {
  const vectors = await openTextVectors(base, threads);
  try {
    return { width: vectors.pretrained.model.hidden, data: await vectors.of(texts) };
  } finally {
    await vectors.release();
  }
}
