/** Figures as CloudWatch reads them: the embedded metric format, a line for each series, written behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics, metrics as known } from "../../../shared/telemetry/metrics.ts";

interface Line {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[];
  };
  [property: string]: unknown;
}

function collect() {
  const lines: Line[] = [];
  const options = { service: "api", write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, metrics: createMetrics(options) };
}

/** What the format's specification asks of every line. */
function requireFormat(line: Line): void {
  assert.ok(Math.abs(line._aws.Timestamp - Date.now()) < 60_000);
  for (const { Namespace, Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
    assert.ok(Namespace.length > 0);
    for (const name of Dimensions.flat()) assert.equal(typeof line[name], "string", name);
    for (const { Name, Unit } of Metrics) {
      assert.ok(["Count", "Milliseconds", "Percent", "None"].includes(Unit));
      const values = [line[Name]].flat();
      assert.ok(values.length > 0 && values.length <= 100 && values.every(Number.isFinite), Name);
    }
  }
}

test("what is counted together is one line, and what was told is not told again", () => {
  const { lines, metrics } = collect();
  for (let i = 0; i < 1000; i++) metrics.add("Requests", "/v1/decisions");
  metrics.add("Requests", "other");
  assert.equal(lines.length, 0, "nothing is written while somebody waits");
  metrics.flush();
  metrics.flush();
  assert.deepEqual(
    lines.map(({ service, resource, Requests }) => [service, resource, Requests]),
    [
      ["api", "/v1/decisions", 1000],
      ["api", "other", 1],
    ],
  );
  metrics.stop();
});

test("times are told one by one, of very many a hundred from all of them", () => {
  const { lines, metrics } = collect();
  for (let i = 0; i < 3; i++) metrics.add("Latency", "few", i);
  for (let i = 0; i < 10_000; i++) metrics.add("Latency", "many", i);
  metrics.stop();
  assert.deepEqual(lines[0]!.Latency, [0, 1, 2]);
  const many = lines[1]!.Latency as number[];
  assert.equal(many.length, 100);
  // Of 100 that are drawn evenly, none in one of the halves has a chance of 2 to the -99.
  assert.ok(many.some((value) => value < 5000) && many.some((value) => value >= 5000));
});

test("every metric there is comes out as the format has it; cost is one metric, with the project beside it", () => {
  const { lines, metrics } = collect();
  for (const name of Object.keys(known) as (keyof typeof known)[]) metrics.add(name, "x", 0.5);
  metrics.stop();
  assert.equal(lines.length, Object.keys(known).length);
  for (const line of lines) requireFormat(line);
  const cost = lines.find((line) => "Cost" in line)!;
  assert.deepEqual(cost._aws.CloudWatchMetrics[0]!.Dimensions, [["service"]]);
  assert.deepEqual([cost.project_id, cost.Cost], ["x", 0.5]);
});
