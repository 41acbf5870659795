/** Shares of a bucket: what processes may take together, what they wait for, and what dies with them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { shareMicroseconds } from "../../../shared/limits/allowance.ts";
import { Lease, type Wanted } from "../../../shared/limits/lease.ts";
import type { Buckets, Levels, Move } from "../../../shared/stores/buckets.ts";

const minute = 60e6;
const start = 1.8e15;
const wanted = (amount: number, tokens = 1, bucket = "requests"): Wanted[] => [
  { bucket, tokens, limit: { amount, microseconds: minute } },
];

/** The table as its row behaves, with a clock of its own and a count of writes. */
function world() {
  const rows = new Map<string, Levels>();
  const told = { now: start, writes: 0 };
  const holds = (level: number | undefined, { from, until, isFull }: Move) =>
    isFull ? level === undefined || level < from : level !== undefined && from <= level && level <= until;
  const buckets: Buckets = {
    async take(owner, moves) {
      told.writes++;
      const row = rows.get(owner) ?? {};
      const taken = moves.every((move) => holds(row[move.bucket], move));
      if (taken) for (const { bucket, isFull, from, by } of moves) row[bucket] = isFull ? from + by : row[bucket]! + by;
      rows.set(owner, row);
      return { taken, levels: Object.fromEntries(moves.map(({ bucket }) => [bucket, row[bucket] ?? 0])) };
    },
  };
  const lease = () => new Lease("proj_x", buckets, () => told.now);
  return { told, lease, rows };
}

const isLetThrough = async (lease: Lease, each: Wanted[]) => (await lease.take(each)) === undefined;

test("an idle bucket has its whole limit for a process, and not one more", async () => {
  const { lease } = world();
  const one = lease();
  const through: boolean[] = [];
  for (let i = 0; i < 12; i++) through.push(await isLetThrough(one, wanted(10)));
  assert.deepEqual(through, [...Array(10).fill(true), false, false]);
});

test("what is refused says when it may come again, and then it does", async () => {
  const { told, lease } = world();
  const one = lease();
  for (let i = 0; i < 10; i++) await one.take(wanted(10));
  const refusal = (await one.take(wanted(10)))!;
  assert.deepEqual({ ...refusal, milliseconds: 0 }, { bucket: "requests", limit: 10, tokens: 1, milliseconds: 0 });
  assert.equal(refusal.milliseconds, 6000);
  told.now += 5999e3;
  assert.ok(await one.take(wanted(10)));
  told.now += 1e3;
  assert.equal(await one.take(wanted(10)), undefined);
});

test("more than the limit at once is never had", async () => {
  const { lease } = world();
  assert.equal((await lease().take(wanted(10, 11)))!.milliseconds, Number.POSITIVE_INFINITY);
});

test("a busy process writes about twice a second, and waits for none of these writes but the first few", async () => {
  const { told, lease } = world();
  const one = lease();
  let waited = 0;
  for (let i = 0; i < 5000; i++) {
    const answer = one.take(wanted(60_000));
    if (answer instanceof Promise) waited++;
    assert.equal(await answer, undefined);
    await new Promise(setImmediate);
    told.now += 5e3;
  }
  assert.ok(waited <= 5, `waited ${waited} times`);
  assert.ok(told.writes <= 25 * 2.5 + 20, `${told.writes} writes in 25 seconds`);
});

test("many who wait at once share one write", async () => {
  const { told, lease } = world();
  const one = lease();
  const answers = await Promise.all(Array.from({ length: 64 }, () => one.take(wanted(1000))));
  assert.ok(answers.every((answer) => answer === undefined));
  assert.ok(told.writes <= 2, `${told.writes} writes`);
});

test("who is refused again and again asks the table once in a share's life", async () => {
  const { told, lease } = world();
  const one = lease();
  for (let i = 0; i < 10; i++) await one.take(wanted(10));
  const before = told.writes;
  for (let i = 0; i < 1000; i++) assert.ok(await one.take(wanted(10)));
  assert.ok(told.writes - before <= 1);
});

test("what a process held that died comes back within two lives of a share", async () => {
  const { told, lease } = world();
  const [limit, spent] = [600, 50];
  const dying = lease();
  for (let i = 0; i < spent; i++) {
    await dying.take(wanted(limit));
    told.now += 10e3;
  }
  told.now += 2 * shareMicroseconds;
  const other = lease();
  let through = 0;
  while (await isLetThrough(other, wanted(limit))) through++;
  assert.ok(through >= limit - spent, `${through} are left`);
});

describe("what was used beyond what was taken", () => {
  test("is taken with what comes next, and what was taken too much is spent before", async () => {
    const { lease } = world();
    const one = lease();
    await one.take(wanted(20, 2, "tokens"));
    one.settle("tokens", 5);
    assert.equal(one.state("tokens")!.remaining, 13);
    await one.take(wanted(20, 2, "tokens"));
    assert.equal(one.state("tokens")!.remaining, 11);
    const other = lease();
    await other.take(wanted(20, 1, "tokens"));
    assert.equal(other.state("tokens")!.remaining, 10);
    other.settle("tokens", 4);
    other.settle("tokens", -3);
    assert.equal(other.state("tokens")!.remaining, 9);
  });

  test("may pass the limit, and then the next waits until the bucket has filled so far", async () => {
    const { lease } = world();
    const one = lease();
    await one.take(wanted(20, 2, "tokens"));
    one.settle("tokens", 60);
    assert.equal(await one.take(wanted(20, 2, "tokens")), undefined, "one more is let through");
    const refusal = (await one.take(wanted(20, 2, "tokens")))!;
    assert.equal(refusal.milliseconds, (66 - 20) * 3000);
  });
});

test("what came to nothing goes back, and is seen by others who were refused", async () => {
  const { told, lease } = world();
  const [one, other] = [lease(), lease()];
  for (let i = 0; i < 3; i++) await one.take(wanted(3));
  assert.ok(await other.take(wanted(3)));
  await one.giveBack("requests", 1);
  told.now += shareMicroseconds;
  assert.equal(await other.take(wanted(3)), undefined);
});

describe("in no span of time do processes let through more than the limit and what the bucket fills by meanwhile", () => {
  const mostIn = (limit: number, microseconds: number) => limit * (1 + microseconds / minute) + 1e-6;
  const limits = fc.integer({ min: 1, max: 2000 });

  const check = (limit: number, times: readonly number[]) => {
    for (let first = 0; first < times.length; first++) {
      for (let last = first; last < times.length; last++) {
        const most = mostIn(limit, times[last]! - times[first]!);
        assert.ok(last - first + 1 <= most, `${last - first + 1} let through where ${most} may be`);
      }
    }
  };

  type Step = { process: number; burst: number; pause: number };
  const letThrough = async (limit: number, steps: readonly Step[]): Promise<number[]> => {
    const { told, lease } = world();
    const processes = Array.from({ length: 4 }, lease);
    const times: number[] = [];
    for (const { process, burst, pause } of steps) {
      const asked = Array.from({ length: burst }, () => processes[process]!.take(wanted(limit)));
      for (const refusal of await Promise.all(asked)) if (!refusal) times.push(told.now);
      await new Promise(setImmediate);
      told.now += pause;
    }
    return times;
  };

  test("whatever they do", async () => {
    const step = fc.record({ process: fc.nat(3), burst: fc.integer({ min: 1, max: 40 }), pause: fc.nat(3e6) });
    const steps = fc.array(step, { minLength: 5, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(limits, steps, async (limit, all) => check(limit, await letThrough(limit, all))),
      { numRuns: 40 },
    );
  });

  test("when all want everything while some hold shares, and the bucket has filled since", async () => {
    const step = fc.record({ process: fc.nat(3), burst: fc.constant(1), pause: fc.nat(2e5) });
    const steps = fc.array(step, { minLength: 4, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(limits, steps, fc.nat(2e6), async (limit, few, pause) => {
        const rest = [
          { process: 0, burst: 1, pause },
          ...[0, 1, 2, 3].map((process) => ({ process, burst: limit, pause: 0 })),
        ];
        const times = await letThrough(limit, [...few, ...rest]);
        const last = times.filter((time) => time === times.at(-1));
        assert.ok(last.length <= limit, `${last.length} at once where ${limit} may be`);
      }),
      { numRuns: 40 },
    );
  });
});
