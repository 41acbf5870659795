/**
 * METEOR (Banerjee and Lavie 2005, with the weights of Lavie and Agarwal 2007), over words that are the same: neither stems
 * nor synonyms are looked up, which would be those of English alone.
 */

const recallWeight = 0.9;
const mostPenalty = 0.5;
const penaltyPower = 3;

/** 0 to 1, from matched words and the number of chunks that they come in. */
export function meteor(found: readonly string[], wanted: readonly string[]): number {
  const matches = align(found, wanted);
  if (matches.length === 0) return 0;
  const [precision, recall] = [matches.length / found.length, matches.length / wanted.length];
  const mean = (precision * recall) / (recallWeight * precision + (1 - recallWeight) * recall);
  const penalty = mostPenalty * (chunksOf(matches) / matches.length) ** penaltyPower;
  return (1 - penalty) * mean;
}

type Match = readonly [found: number, wanted: number];

/** Each word with the last that is the same and free, from the end on, as NLTK has it. */
function align(found: readonly string[], wanted: readonly string[]): Match[] {
  const free = new Map<string, number[]>();
  for (const [place, word] of wanted.entries()) {
    const places = free.get(word);
    if (places) places.push(place);
    else free.set(word, [place]);
  }
  return found
    .map((word, place) => [word, place] as const)
    .reverse()
    .flatMap(([word, place]): Match[] => {
      const other = free.get(word)?.pop();
      return other === undefined ? [] : [[place, other]];
    })
    .reverse();
}

function chunksOf(matches: readonly Match[]): number {
  return matches.filter(([found, wanted], i) => {
    const before = matches[i - 1];
    return !before || found !== before[0] + 1 || wanted !== before[1] + 1;
  }).length;
}
