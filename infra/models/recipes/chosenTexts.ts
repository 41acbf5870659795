/** Texts of a few sentences or one, chosen from corpora: the same ones at each call. */
import { readDocuments, type TextFile } from "../../../shared/engine/pretraining/corpus.ts";
import { sentencesOf } from "../../../shared/engine/pretraining/passages.ts";

export interface Choice {
  /** Most texts by file: what people say and ask, and what is said of the world, before speeches and novels. */
  readonly most: Readonly<Record<string, number>>;
  readonly isText: RegExp;
  /** Characters of a text. */
  readonly length: readonly [shortest: number, longest: number];
  /** Of all that are chosen. */
  readonly count: number;
}

/** No text twice; `parts` are what may be chosen of a document. */
export async function chosenTexts(
  { most, length: [shortest, longest], isText, count }: Choice,
  parts: (document: string) => Iterable<string>,
  files: readonly TextFile[],
): Promise<string[]> {
  const isFit = (text: string) => text.length >= shortest && text.length <= longest && isText.test(text);
  const shuffle = shuffler(7);
  const paths = new Map(files.map(({ path }) => [nameOf(path), path]));
  const all: string[] = [];
  for (const [name, limit] of Object.entries(most)) {
    const found = new Set<string>();
    for await (const document of readDocuments([{ path: paths.get(name)! }])) {
      for (const part of parts(document)) if (isFit(part.trim())) found.add(part.trim());
    }
    all.push(...shuffle([...found]).slice(0, limit));
  }
  return shuffle(all).slice(0, count);
}

const nameOf = (path: string) => path.split("/").at(-1)!.replace(".jsonl.gz", "");

/** Sentences that follow each other, as many as have room. */
export function passagesOf(longest: number): (document: string) => Iterable<string> {
  return function* (document) {
    let passage = "";
    for (const sentence of sentencesOf(document)) {
      const longer = `${passage} ${sentence.trim()}`.trim();
      if (longer.length <= longest) passage = longer;
      else {
        yield passage;
        passage = sentence.trim();
      }
    }
    yield passage;
  };
}

/** Shuffles lists in place (Fisher and Yates), each call further along one row of numbers (Numerical Recipes' generator). */
export function shuffler(seed: number): <Item>(list: Item[]) => Item[] {
  let state = seed;
  return (list) => {
    for (let i = list.length - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = Math.floor((state / 2 ** 32) * (i + 1));
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  };
}
