/** Chinese in English, word by word: what a dictionary says first, in few words, and grammar as grammar. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shortSense, wordByWord } from "../../../../infra/models/recipes/wordByWord.ts";

const inEnglish = wordByWord(
  new Map([
    ["银行", ["bank; financial institution", "CL:家"]],
    ["我", ["I; me", "my"]],
    ["喜欢", ["to like; to be fond of"]],
    ["高", ["high"]],
    ["高速", ["", "high speed"]],
    ["公路", ["road"]],
  ]),
);

describe("Chinese said word by word", () => {
  it("takes of each word the first sense, without what explains it", () => {
    assert.equal(inEnglish("我喜欢银行"), "I like bank");
  });

  it("says grammar by its own words, and leaves out what only marks", () => {
    assert.equal(inEnglish("我不喜欢我的银行"), "I not like I bank");
  });

  it("cuts what the dictionary lacks into the longest parts that it knows", () => {
    assert.equal(inEnglish("高速公路"), "high speed road");
  });

  it("keeps words and numbers that are not Chinese, and says nothing of what it does not know", () => {
    assert.equal(inEnglish("我喜欢 GitHub 24"), "I like GitHub 24");
    assert.equal(inEnglish("麤"), "");
  });
});

describe("a short sense", () => {
  it("has five words at most, the first of several ways to say it", () => {
    assert.equal(shortSense("to take a bath; to bathe"), "take a bath");
    assert.equal(shortSense("a thing that is said of many other things"), "thing that is said of");
  });
});
