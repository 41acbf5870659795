/** Each strategy puts first what it is for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, rank, type Weighted } from "../../../shared/labels/rank.ts";

const weighted = (ham: number): Weighted[] => [
  { label: "ham", probability: ham },
  { label: "spam", probability: 1 - ham },
];
const row = (text: string, more: Partial<Candidate> = {}): Candidate => ({ text, given: null, ...more });
const texts = (candidates: Candidate[], ranked: ReturnType<typeof rank>) =>
  ranked.map(({ row }) => candidates[row]!.text);

test("uncertainty begins with refusals and ties, and leaves out what nobody was asked about", () => {
  const candidates = [
    row("sure", { answer: weighted(0.99) }),
    row("torn", { answer: weighted(0.52) }),
    row("unasked"),
    row("refused", { answer: [] }),
  ];
  const ranked = rank({ strategy: "uncertainty", candidates, size: 10 });
  assert.deepEqual(texts(candidates, ranked), ["refused", "torn", "sure"]);
  assert.deepEqual(ranked[2]!.suggestions[0], { label: "ham", probability: 0.99 });
});

test("uncertainty of labelled rows without a model goes by what n-grams of the others say", () => {
  const said = (word: string, label: string) =>
    Array.from({ length: 12 }, (_, i) => row(`${word} ${word} ${i % 4}`, { given: label }));
  const candidates = [...said("lunch", "ham"), ...said("prize", "spam"), row("lunch prize", { given: "ham" })];
  const ranked = rank({ strategy: "uncertainty", candidates, size: 3 });
  assert.equal(texts(candidates, ranked)[0], "lunch prize");
});

test("disagreement is of two models, of a model and a label, of feedback, or of labellers, and of nobody who agrees", () => {
  const candidates = [
    row("same", { answer: weighted(0.9), other: weighted(0.9) }),
    row("opposite", { answer: weighted(0.9), other: weighted(0.1) }),
    row("label", { given: "spam", other: weighted(0.7) }),
    row("judged", { given: "ham", contradiction: 0.5 }),
    row("votes", { votes: ["a", "a", "b"] }),
    row("unanimous", { votes: ["a", "a"] }),
    row("unjudged", { given: "ham" }),
  ];
  const found = texts(candidates, rank({ strategy: "disagreement", candidates, size: 10 }));
  assert.deepEqual(found.toSorted(), ["judged", "label", "opposite", "votes"]);
  assert.ok(found.indexOf("opposite") < found.indexOf("judged"));
});

test("diversity takes one of each kind before a second of any", () => {
  const candidates = [
    "refund my money",
    "refund my money now",
    "card is lost",
    "my card is lost",
    "top up by cheque",
  ].map((text) => row(text));
  const chosen = texts(candidates, rank({ strategy: "diversity", candidates, size: 3 }));
  assert.deepEqual(chosen.map((text) => ["refund", "card", "cheque"].find((word) => text.includes(word))).sort(), [
    "card",
    "cheque",
    "refund",
  ]);
});

test("suspected errors are rows that all others contradict", () => {
  const candidates = Array.from({ length: 60 }, (_, i) => {
    const label = i % 2 ? "spam" : "ham";
    return row(`${label === "spam" ? "win a prize" : "see you at lunch"} ${i % 5}`, { given: i === 7 ? "ham" : label });
  });
  const ranked = rank({ strategy: "suspected_error", candidates, size: 5 });
  assert.deepEqual([ranked[0]!.row, ranked[0]!.suggestions[0]!.label], [7, "spam"]);
});
