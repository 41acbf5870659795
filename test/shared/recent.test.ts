/** A row is asked for once by all who want it at the same time, and again once it may have changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createRecent } from "../../shared/recent.ts";

interface Row {
  value: number;
}

test("looks up once for many, again after it was forgotten, and each time where there is nothing or a failure", async () => {
  const rows = new Map<string, Row>([["a", { value: 1 }]]);
  const asked: string[] = [];
  let broken = false;
  const recent = createRecent<Row>(async (key) => {
    asked.push(key);
    await setTimeout(1);
    if (broken) throw new Error("out of reach");
    return rows.get(key);
  });
  const found = await Promise.all(Array.from({ length: 20 }, () => recent.get("a")));
  assert.deepEqual(new Set(found.map((row) => row?.value)), new Set([1]));
  rows.set("a", { value: 2 });
  assert.equal((await recent.get("a"))?.value, 1);
  recent.forget("a");
  assert.equal((await recent.get("a"))?.value, 2);
  assert.deepEqual(asked, ["a", "a"]);

  assert.equal(await recent.get("b"), undefined);
  rows.set("b", { value: 3 });
  assert.equal((await recent.get("b"))?.value, 3);

  broken = true;
  await assert.rejects(recent.get("c"), /out of reach/);
  broken = false;
  assert.equal(await recent.get("c"), undefined);
});

test("looks again after two seconds", async () => {
  let value = 0;
  const recent = createRecent<Row>(async () => ({ value: value++ }));
  assert.equal((await recent.get("a"))?.value, 0);
  await setTimeout(2100);
  assert.equal((await recent.get("a"))?.value, 1);
});
