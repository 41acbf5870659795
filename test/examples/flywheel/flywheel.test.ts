/** What the demo of the flywheel is made of: mails in the order of their time, users who err as often as they are said to, and its picture. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { XMLValidator } from "fast-xml-parser";
import { mailsByTime, streamOf } from "./mails.ts";
import { renderReport } from "./report.ts";
import { flipped } from "./users.ts";

test("mails come in by time, and those that tell the accuracy are seen by nobody", () => {
  const mails = mailsByTime();
  assert.ok(mails.length > 5000, `${mails.length} mails`);
  const spam = (of: typeof mails) => of.filter(({ label }) => label === "spam").length / of.length;
  assert.ok(spam(mails.slice(0, 400)) > 2 * spam(mails.slice(-400)), "what comes in moves");
  const stream = streamOf(mails, { known: 400, turns: 5, perTurn: 200, test: 300 });
  const seen = [stream.known, ...stream.turns, stream.poisoned, stream.last];
  assert.deepEqual(
    seen.map(({ length }) => length),
    [400, 200, 200, 200, 200, 200, 200, 200],
  );
  assert.equal(stream.test.length, 300);
  const place = new Map(mails.map((mail, i) => [mail, i]));
  const places = seen.flat().map((mail) => place.get(mail)!);
  assert.ok(
    places.every((at, i) => i === 0 || at > places[i - 1]!),
    "in order, each once",
  );
  assert.ok(stream.test.every((mail) => !places.includes(place.get(mail)!)));
  assert.throws(() => streamOf(mails, { known: 400, turns: 100, perTurn: 200, test: 300 }), /takes 21100 mails/);
});

test("a poisoned batch has its share of flipped labels and the same texts", () => {
  const mails = mailsByTime().slice(0, 1000);
  const poisoned = flipped(mails, 0.3, 1);
  const wrong = poisoned.filter(({ label }, i) => label !== mails[i]!.label).length;
  assert.ok(wrong > 250 && wrong < 350, `${wrong} of 1000`);
  assert.deepEqual(
    poisoned.map(({ text }) => text),
    mails.map(({ text }) => text),
  );
});

test("the report is a picture that names every line and what was stopped", () => {
  const lines = ["learns", "random", "never"].map((name) => ({ name, values: [60, 80] }));
  const svg = renderReport({ subtitle: "mails", lines, promoted: [true], stopped: ["Poisoned batch: rejected"] });
  assert.equal(XMLValidator.validate(svg), true);
  for (const text of ["learns", "random", "never", "turn 1", "Poisoned batch: rejected"])
    assert.ok(svg.includes(text), text);
});
