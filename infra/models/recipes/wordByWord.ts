/** Chinese said in English word by word: no translation, and yet what an English encoder can place. */

/** What grammar says has no gloss, or one that misleads. */
const grammar: Readonly<Record<string, string>> = {
  ...{ 的: "", 地: "", 得: "", 了: "", 着: "", 过: "", 个: "", 把: "", 吗: "?", 呢: "?" },
  ...{ 是: "is", 有: "has", 在: "in", 到: "to", 对: "to", 为: "for", 从: "from", 被: "by", 和: "and", 与: "and" },
  ...{ 不: "not", 没: "not", 没有: "not", 别: "do not", 很: "very", 太: "too", 最: "most", 更: "more" },
  ...{ 都: "all", 也: "also", 就: "then", 还: "still", 再: "again", 将: "will", 会: "will", 要: "want to" },
  ...{ 这: "this", 那: "that", 我: "I", 你: "you", 他: "he", 她: "she", 上: "on", 下: "under", 中: "in" },
  ...{ 前: "before", 后: "after", 等: "and so on" },
};

/** Words of a sense that are read: further ones explain. */
const mostWords = 5;
/** Characters of a word that the dictionary is asked for, where the platform's cut is not a word of it. */
const longestWord = 8;

/** `dictionary`: by word in simplified characters, what it means. A text of which nothing is known becomes empty. */
export function wordByWord(dictionary: ReadonlyMap<string, readonly string[]>): (text: string) => string {
  const segmenter = new Intl.Segmenter("zh", { granularity: "word" });
  const knows = (word: string) => Object.hasOwn(grammar, word) || dictionary.has(word);
  const said = (word: string) => (isChinese(word) ? (grammar[word] ?? firstSense(dictionary.get(word) ?? [])) : word);
  return (text) => {
    const words = Array.from(segmenter.segment(text.normalize("NFKC")), ({ segment }) => segment.trim());
    const known = words.flatMap((word) => (isChinese(word) && !knows(word) ? knownParts(word, knows) : [word]));
    return known.map(said).filter(Boolean).join(" ");
  };
}

/** A sense in a few words. */
export function shortSense(sense: string): string {
  const [first] = sense.split(/[;,]/);
  const words = first!.replace(/^(?:to|an?|the|lit\.|fig\.) /, "").split(/\s+/);
  return words.filter(Boolean).slice(0, mostWords).join(" ");
}

const firstSense = (senses: readonly string[]) => senses.map(shortSense).find((sense) => sense !== "") ?? "";

/** The longest known word at each place, from left to right. */
function knownParts(word: string, knows: (part: string) => boolean): string[] {
  const characters = [...word];
  const parts: string[] = [];
  for (let at = 0; at < characters.length; at += [...parts.at(-1)!].length) {
    let length = Math.min(longestWord, characters.length - at);
    while (length > 1 && !knows(characters.slice(at, at + length).join(""))) length--;
    parts.push(characters.slice(at, at + length).join(""));
  }
  return parts;
}

const isChinese = (word: string) => /\p{Script=Han}/u.test(word);
