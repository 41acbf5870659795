/** A served model over token ids: texts in, logits out, by one session. */
import { createSession } from "../runtime/session.ts";
import { logitsOf } from "../training/textBatches.ts";
import type { Classifier } from "./architectures.ts";

export interface TextClassifierOptions {
  /** Its output is `logits` float32 [batch, classes], its inputs those of `padBatch`. */
  readonly model: Uint8Array;
  readonly classes: number;
  readonly threads: number;
  /** At least one id. */
  readonly encode: (text: string) => Int32Array;
  /** Whether ids hold anything of the text. */
  readonly isKnown: (ids: Int32Array) => boolean;
}

export async function createTextClassifier(options: TextClassifierOptions): Promise<Classifier> {
  const { model, classes, threads, encode, isKnown } = options;
  const session = await createSession(model, { threads });
  return {
    async classify(texts) {
      const encoded = texts.map(encode);
      const found = await logitsOf((batch) => session.run(batch), encoded, classes);
      return {
        logits: encoded.map((_, i) => found.slice(i * classes, (i + 1) * classes)),
        tokens: encoded.map((ids) => ids.length),
        known: encoded.map(isKnown),
      };
    },
    release: () => session.release(),
  };
}
