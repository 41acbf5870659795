/** A project's crowd of jobs delays another project's single one by no more than the job that is at work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorkshop } from "../support/workshop.ts";
import { openCrowd, waitBehind } from "./fairness.ts";

test("the next free worker takes up the single job", { timeout: 120_000 }, async () => {
  const shop = await openWorkshop();
  try {
    await openCrowd(shop, 20);
    await shop.work();
    const { overtaken } = await waitBehind(shop, 1, "single", 0);
    // One that its worker had received, but not yet taken.
    assert.ok(overtaken <= 1, `${overtaken} jobs of the crowd began before it`);
  } finally {
    await shop.close();
  }
});
