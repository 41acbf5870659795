/** WordNet as its database files have it (wndb(5WN)): sets of words of one meaning, each with what it means. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Synset {
  /** Of one meaning; spaces as they are written. */
  readonly words: readonly string[];
  readonly definition: string;
  readonly examples: readonly string[];
}

export interface Wordnet {
  readonly synsets: readonly Synset[];
  /** By word: other single words that have its most frequent meaning. */
  readonly synonyms: ReadonlyMap<string, readonly string[]>;
}

const partsOfSpeech = ["noun", "verb", "adj", "adv"] as const;

export function readWordnet(folder: string): Wordnet {
  const synsets: Synset[] = [];
  const synonyms = new Map<string, readonly string[]>();
  for (const part of partsOfSpeech) {
    const byOffset = new Map<string, Synset>();
    for (const line of linesOf(folder, `data.${part}`)) {
      const synset = parseSynset(line);
      byOffset.set(line.slice(0, 8), synset);
      synsets.push(synset);
    }
    for (const line of linesOf(folder, `index.${part}`)) {
      const fields = line.trim().split(" ");
      const word = fields[0]!;
      // Behind the count of senses and of tagged ones stand their offsets, the most frequent first.
      const first = fields.at(-Number(fields[2]));
      const others =
        byOffset.get(first ?? "")?.words.filter((other) => other !== word && /^[a-z]{3,}$/.test(other)) ?? [];
      if (others.length > 0 && !synonyms.has(word)) synonyms.set(word, others);
    }
  }
  return { synsets, synonyms };
}

/** Lines that begin with a space are the licence. */
function linesOf(folder: string, file: string): string[] {
  return readFileSync(join(folder, "dict", file), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(" "));
}

function parseSynset(line: string): Synset {
  const [head, gloss = ""] = line.split(" | ");
  const fields = head!.split(" ");
  const count = Number.parseInt(fields[3]!, 16);
  const words = Array.from({ length: count }, (_, i) =>
    fields[4 + 2 * i]!.replace(/\([a-z]+\)$/, "").replaceAll("_", " "),
  );
  const examples = Array.from(gloss.matchAll(/"([^"]+)"/g), ([, text]) => text!);
  const definition = gloss
    .replace(/;?\s*"[^"]*"/g, "")
    .trim()
    .replace(/;$/, "");
  return { words, definition, examples };
}
