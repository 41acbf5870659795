/** Words that nobody rated get the sign of words near them; a rating counts for more than a guess. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { polarities } from "../../../../infra/models/recipes/polarity.ts";
import { normals } from "../../../../shared/engine/index.ts";

const [words, width] = [300, 8];
/** The first column tells good from bad. */
const data = normals(words * width, { seed: 1, stream: 2, deviation: 0.3 });
for (let row = 0; row < words; row++) data[row * width] = row % 2 === 0 ? 1 : -1;
const names = Array.from({ length: words }, (_, row) => `word${row}`);
const rated = new Map(names.slice(0, 100).map((name, row) => [name, row % 2 === 0 ? 3 : -3]));

test("what nobody rated is guessed by its vector, and believed by half", () => {
  const found = polarities(names, { width, data }, rated);
  for (let row = 100; row < words; row++) {
    assert.equal(Math.sign(found[row]!), row % 2 === 0 ? 1 : -1);
    assert.ok(Math.abs(found[row]!) < Math.abs(found[row % 100]!));
  }
});

test("a rating against its neighbours stands", () => {
  const found = polarities(names, { width, data }, new Map([...rated, ["word0", -5]]));
  assert.ok(found[0]! < -1, `${found[0]}`);
  assert.ok(found[2]! > 1, `${found[2]}`);
});
