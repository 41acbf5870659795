/** Traces in both of their forms, and what is in none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { currentTrace, inTrace, readTrace, toTraceparent, toXRay } from "../../../shared/telemetry/trace.ts";

const id = "5759e988bd862e3fe1be46a994272793";
const parent = "53995c3f42cd8ad8";

test("reads W3C's form and X-Ray's as the same trace, and writes both", () => {
  const xRay = `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=${parent};Sampled=1`;
  const trace = { id, parent, sampled: true };
  assert.deepEqual(readTrace(xRay), trace);
  assert.deepEqual(readTrace(`00-${id}-${parent}-01`), trace);
  assert.deepEqual(readTrace(toTraceparent(trace)), trace);
  assert.equal(toXRay(trace), xRay);
});

test("knows what a gateway sends that has no segment of its own, and what is not sampled", () => {
  assert.deepEqual(readTrace("Root=1-5759e988-bd862e3fe1be46a994272793"), { id, parent: null, sampled: false });
  assert.deepEqual(readTrace(`Self=1-x;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0`)?.sampled, false);
  assert.equal(readTrace(`00-${id}-${parent}-00`)?.sampled, false);
});

test("takes nothing else for a trace", () => {
  const nothing = [
    "",
    "00",
    `00-${"0".repeat(32)}-${parent}-01`,
    `00-${id}-${"0".repeat(16)}-01`,
    `00-${id.toUpperCase()}-${parent}-01`,
  ];
  for (const text of [...nothing, "Root=2-5759e988-bd862e3fe1be46a994272793", "x".repeat(10_000), undefined]) {
    assert.equal(readTrace(text), undefined, text);
  }
});

test("is there for what it is around, and for no one else", async () => {
  const [one, other] = ["1", "2"].map((digit) => ({ id: digit.repeat(32), parent: null, sampled: true }));
  const seen = (trace: typeof one) =>
    inTrace(trace!, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentTrace();
    });
  assert.deepEqual(await Promise.all([seen(one), seen(other)]), [one, other]);
  assert.equal(currentTrace(), undefined);
});
