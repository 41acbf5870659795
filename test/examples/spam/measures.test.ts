/** What the demo prints about its model is counted right. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { calibration, confusionOf, leastMails, score } from "./measures.ts";

const mail = (label: "ham" | "spam") => ({ text: "", label });
const mails = [mail("ham"), mail("spam"), mail("spam"), mail("ham")];

it("counts a mail that was declined as wrong", () => {
  const answers = ["ham", "spam", null, "spam"];
  assert.deepEqual(score("model", mails, answers), { name: "model", right: 2, total: 4 });
  assert.deepEqual(confusionOf(mails, answers), {
    ham: { ham: 1, spam: 1, none: 0 },
    spam: { ham: 0, spam: 1, none: 1 },
  });
});

it("draws calibration from groups that are large enough, and from every answered mail", () => {
  const many = Array.from({ length: 95 }, (_, i) => mail(i % 4 ? "spam" : "ham"));
  const bins = calibration(
    many,
    many.map((_, i) => (i < 5 ? null : (i / 95) ** 2)),
  );
  assert.equal(
    bins.reduce((sum, bin) => sum + bin.mails, 0),
    90,
  );
  assert.ok(bins.length > 2 && bins.every((bin) => bin.mails >= leastMails && bin.was >= 0 && bin.was <= 1));
  assert.deepEqual(
    bins.map(({ said }) => said),
    bins.map(({ said }) => said).sort((a, b) => a - b),
  );
});
