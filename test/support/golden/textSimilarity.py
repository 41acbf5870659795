"""Reference similarities of texts by NLTK (BLEU, GLEU, METEOR) and rapidfuzz, and ROUGE by its definition written out.

Run with both installed; the result is committed beside this file:
    python3 test/support/golden/textSimilarity.py > test/support/golden/textSimilarity.json
Words are parted here as in shared/evals/words.ts. METEOR is told that stems are the words themselves, and knows no synonyms.
"""
import json
import re
from collections import Counter

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.gleu_score import sentence_gleu
from nltk.translate.meteor_score import exact_match, _count_chunks
from rapidfuzz import fuzz

PAIRS = [
    ("The cat sat on the mat.", "the cat is on the mat"),
    ("It is a guide to action which ensures that the military always obeys the commands of the party",
     "It is a guide to action that ensures that the military will forever heed Party commands"),
    ("card_arrival", "card_delivery_estimate"),
    ("spam", "spam"),
    ("ham", "spam"),
    ("", "something"),
    ("something", ""),
    ("", ""),
    ("the the the the the the the", "The cat is on the mat. There is a cat on the mat, the cat."),
    ("我的卡丢了,请帮助", "我的银行卡丢失了,请帮我"),
    ("Order #42 (blue, XL) ships on 3 May!", "Order 42 ships on May 3, in blue and in XL."),
    ("Ünïcode naïve café 🦀🦀", "unicode naive café 🦀"),
    ("one two three four five six seven eight nine ten eleven twelve thirteen " * 6,
     "twelve eleven ten nine one two three four five six seven eight thirteen " * 6),
    ("a b c d e f g h", "h g f e d c b a"),
]

CJK = "[\u4e00-\u9fff]"
WORD = f"{CJK}|(?:(?!{CJK})[^\\W_])+"


def words(text):
    return re.findall(WORD, text.lower())


def words_and_marks(text):
    return re.findall(f"{WORD}|\\S", text)


def rouge_n(found, wanted, n):
    grams = lambda t: Counter(tuple(t[i:i + n]) for i in range(len(t) - n + 1))
    a, b = grams(found), grams(wanted)
    shared, total = sum((a & b).values()), sum(a.values()) + sum(b.values())
    if shared == 0:
        return 0.0
    p, r = shared / sum(a.values()), shared / sum(b.values())
    assert total > 0
    return 2 * p * r / (p + r)


def rouge_l(found, wanted):
    table = [[0] * (len(wanted) + 1) for _ in range(len(found) + 1)]
    for i, x in enumerate(found):
        for j, y in enumerate(wanted):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    common = table[-1][-1]
    if common == 0:
        return 0.0
    p, r = common / len(found), common / len(wanted)
    return 2 * p * r / (p + r)


def meteor(found, wanted):
    """NLTK's own, with its first stage alone."""
    if not found or not wanted:
        return 0.0
    matches, _, _ = exact_match(found, wanted)
    matches = sorted(matches, key=lambda match: match[0])
    if not matches:
        return 0.0
    precision, recall = len(matches) / len(found), len(matches) / len(wanted)
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    return (1 - 0.5 * (_count_chunks(matches) / len(matches)) ** 3) * mean


def measures(a, b):
    found, wanted, marks, wanted_marks = words(a), words(b), words_and_marks(a), words_and_marks(b)
    method = SmoothingFunction().method1
    return {
        "fuzzy_match": fuzz.ratio(a, b) / 100,
        "bleu": float(sentence_bleu([wanted_marks], marks, smoothing_function=method)) if marks else 0.0,
        "gleu": float(sentence_gleu([wanted_marks], marks)) if marks or wanted_marks else 0.0,
        "meteor": meteor(found, wanted),
        **{f"rouge_{n}": rouge_n(found, wanted, n) for n in range(1, 6)},
        "rouge_l": rouge_l(found, wanted),
    }


print(json.dumps([{"input": a, "reference": b, "measures": measures(a, b)} for a, b in PAIRS], indent=2, ensure_ascii=False))
