/** What the n-gram featurizer promises: stable hashes, every script, one form per text, bounded work. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { ngrams } from "../../../../shared/engine/text/ngrams.ts";
import { dictionaryWords, MAX_CHARACTERS, normalizeText } from "../../../../shared/engine/text/tokens.ts";

const counted = (text: string) => {
  const bag = ngrams(text);
  return new Map(Array.from(bag.buckets, (bucket, i) => [bucket, bag.counts[i]!]));
};
const words = (text: string) => ngrams(text).buckets.filter((bucket) => (bucket & 1) === 0);
const shared = (a: string, b: string) => {
  const other = new Set(ngrams(b).buckets);
  return ngrams(a).buckets.filter((bucket) => other.has(bucket)).length;
};

describe("ngrams", () => {
  it("keeps its hashes from release to release, because stored models are keyed by them", () => {
    assert.deepEqual(
      [...ngrams("To be").buckets],
      [
        2621559113, 1447549111, 305525707, 3937361895, 1437250861, 2378940173, 3193013891, 2176921153, 3673111427,
        1272430139, 1401147923, 3965670051, 407057152, 2765426368, 643698788, 2051908754, 8331228,
      ],
    );
  });

  it("is deterministic", () => {
    assert.deepEqual(ngrams("my card has not arrived"), ngrams("my card has not arrived"));
  });

  it("makes orders 1 to 3 of words, both boundaries, and orders 2 to 4 of characters", () => {
    const bag = ngrams("a b c");
    assert.equal(bag.buckets.filter((bucket) => (bucket & 1) === 0).length, 3 + 2 + 1 + 2);
    assert.equal(bag.buckets.filter((bucket) => bucket & 1).length, 3 * (2 + 1));
  });

  it("counts repetitions", () => {
    assert.ok([...counted("spam spam spam").values()].includes(3));
  });

  it("tells the order of words apart", () => {
    assert.notDeepEqual(words("good not bad").toSorted(), words("bad not good").toSorted());
  });

  it("shares features between a word and its misspelling", () => {
    assert.ok(shared("transfer", "transferr") >= 8);
    assert.equal(shared("transfer", "boo"), 0);
  });

  const scripts = {
    chinese: "银行卡还没有到",
    japanese: "カードはどこですか",
    korean: "카드가 도착하지 않았어요",
    thai: "บัตรของฉันอยู่ที่ไหน",
    arabic: "أين بطاقتي",
    hindi: "मेरा कार्ड कहाँ है",
    cyrillic: "где моя карта",
    greek: "πού είναι η κάρτα",
    hebrew: "איפה הכרטיס שלי",
    emoji: "😀🎉",
    punctuation: "?!",
    supplementaryHan: "𠮷野家",
  };
  for (const [script, text] of Object.entries(scripts)) {
    it(`finds features in ${script}`, () => assert.ok(ngrams(text).buckets.length >= 4));
  }

  it("reads each Chinese character as a word, next to letters too", () => {
    assert.ok(shared("2D巅峰", "巅峰") >= 3);
  });

  describe("of scripts without spaces", () => {
    const text = { chinese: "银行卡还没有到", japanese: "カードはどこですか", thai: "บัตรของฉันอยู่ที่ไหน" };
    const others = (of: string) => ngrams(of).buckets.filter((bucket) => bucket & 1);

    it("finds a dictionary's words, and two in a row", () => {
      assert.equal(others(text.chinese).length, 5 + 4, "银行 卡 还 没有 到");
      assert.equal(others(text.japanese).length, 5 + 4 + others("ー").length - 1, "カード は どこ です か");
      assert.ok(shared(text.thai, "ของฉัน") > 0, "a part of a sentence");
    });

    it("tells a word from the same characters in other words", () => {
      const word = others("现在").at(0)!;
      assert.ok(counted("我现在去").has(word));
      assert.ok(!counted("表现在外").has(word));
    });

    it("ends words where letters end, and finds none in words with spaces between them", () => {
      const found = [...dictionaryWords("it's 银行, 3卡")];
      assert.deepEqual(found, [
        { text: "银行", start: 5 },
        { text: "卡", start: 10 },
      ]);
      assert.ok(shared("银行卡", "银行,卡") < ngrams("银行卡").buckets.length - 1, "they are no two in a row");
    });

    it("says so where there are no dictionaries", () => {
      const module = JSON.stringify(new URL("../../../../shared/engine/text/ngrams.ts", import.meta.url));
      const code = `Intl.Segmenter = class { segment = (text) => Array.from(text, (segment, index) => ({ segment, index })) };
        const { ngrams } = await import(${module});
        ngrams("no need of any");
        ngrams("银行卡");`;
      const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
      assert.notEqual(status, 0);
      assert.match(stderr, /no dictionaries for Chinese[\s\S]*at ngrams[\s\S]*:4:9/);
    });
  });

  it("treats compatibility forms, letter case and apostrophes alike", () => {
    assert.deepEqual(ngrams("ＣＡＦÉ don’t ①"), ngrams("cafe\u0301 don't 1"));
  });

  it("gives even an empty text a feature, and takes lone surrogates", () => {
    assert.equal(ngrams("").buckets.length, 1);
    assert.ok(ngrams("\ud800").buckets.length > 0);
  });

  it("reads no further than the cap, also where normalisation expands text", () => {
    assert.deepEqual(ngrams("ab ".repeat(MAX_CHARACTERS)), ngrams("ab ".repeat(2 * MAX_CHARACTERS)));
    assert.equal(normalizeText("\ufdfa".repeat(MAX_CHARACTERS)).length, MAX_CHARACTERS);
  });

  it("gives every distinct bucket once, with a count of at least 1", () => {
    const bag = ngrams("the cat and the dog and the cat");
    assert.equal(new Set(bag.buckets).size, bag.buckets.length);
    assert.equal(bag.counts.length, bag.buckets.length);
    assert.ok(bag.counts.every((count) => count >= 1));
  });
});
