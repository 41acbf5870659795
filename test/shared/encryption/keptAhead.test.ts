/** Who asks often does not wait for what is kept, and nobody is given what is too old. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createKeptAhead } from "../../../shared/encryption/keptAhead.ts";

/** Looks that are answered when the test says so. */
function looks() {
  const open: ((value: number) => void)[] = [];
  const look = () => new Promise<number>((resolve) => open.push(resolve));
  return { open, kept: createKeptAhead(look, { fresh: 1000, most: 2000 }) };
}

describe("what is kept", () => {
  it("is used at once, looked up again while it is still good, and waited for when it is too old", async (t) => {
    t.mock.timers.enable({ apis: ["Date"] });
    const { open, kept } = looks();
    const first = Promise.all([kept.get("a"), kept.get("a")]);
    open[0]!(1);
    assert.deepEqual(await first, [1, 1]);
    assert.equal(open.length, 1, "asked once for both");

    t.mock.timers.tick(1500);
    assert.equal(await kept.get("a"), 1, "nobody waits");
    assert.equal(open.length, 2);
    open[1]!(2);
    await Promise.resolve();
    assert.equal(await kept.get("a"), 2);

    t.mock.timers.tick(2000);
    const late = kept.get("a");
    assert.equal(open.length, 3);
    open[2]!(3);
    assert.equal(await late, 3);
  });

  it("is forgotten by all when told so, also by a look that was under way", async () => {
    const { open, kept } = looks();
    const before = kept.get("a");
    kept.forget("a");
    open[0]!(1);
    assert.equal(await before, 1);
    const after = kept.get("a");
    open[1]!(2);
    assert.equal(await after, 2);
  });

  it("outlives a look that failed, until it is too old", async (t) => {
    t.mock.timers.enable({ apis: ["Date"] });
    let fails = false;
    const kept = createKeptAhead(
      async () => {
        if (fails) throw new Error("out of reach");
        return 1;
      },
      { fresh: 1000, most: 2000 },
    );
    assert.equal(await kept.get("a"), 1);
    fails = true;
    t.mock.timers.tick(1500);
    assert.equal(await kept.get("a"), 1);
    t.mock.timers.tick(500);
    await assert.rejects(kept.get("a"), /out of reach/);
  });
});
